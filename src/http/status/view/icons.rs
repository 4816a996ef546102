//! The icons, once in each page. Each level has a different shape, so that no color is needed to tell them apart.

use maud::{Markup, html};

/// Name and outline, on a grid of 24.
const ICONS: [(&str, &str); 12] = [
    // An octagon with a cross.
    (
        "failing",
        "M8 2h8l6 6v8l-6 6H8l-6-6V8zM8.2 9.8l2.2 2.2-2.2 2.2 1.6 1.6 2.2-2.2 2.2 2.2 1.6-1.6-2.2-2.2 2.2-2.2-1.6-1.6-2.2 2.2-2.2-2.2z",
    ),
    // A diamond with a question mark.
    (
        "unknown",
        "M12 1l11 11-11 11L1 12zM8.4 9.7h2.2c0-.9.5-1.4 1.4-1.4.8 0 1.3.4 1.3 1.1 0 .7-.4 1-1.1 1.5-.9.7-1.4 1.4-1.4 2.8h2.1c0-.8.3-1.1 1-1.6.9-.7 1.6-1.5 1.6-2.9 0-1.8-1.4-3-3.5-3s-3.6 1.3-3.6 3.5zM10.8 15h2.3v2.3h-2.3z",
    ),
    // A triangle with an exclamation mark.
    ("soon", "M12 2l11 19.5H1zM10.9 9l.3 6.3h1.6l.3-6.3zM10.9 16.8h2.2v2.2h-2.2z"),
    // A square with two bars.
    ("decision", "M5 2h14q3 0 3 3v14q0 3-3 3H5q-3 0-3-3V5q0-3 3-3zM7.8 7v10h2.9V7zM13.3 7v10h2.9V7z"),
    // A disk with a check mark.
    ("healthy", "M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22zM10.3 16.9l-4.7-4.7 1.7-1.7 3 3 6.4-6.4 1.7 1.7z"),
    // A ring with a dot.
    (
        "standby",
        "M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22zM12 3.6a8.4 8.4 0 1 1 0 16.8 8.4 8.4 0 0 1 0-16.8zM12 8.7a3.3 3.3 0 1 0 0 6.6 3.3 3.3 0 0 0 0-6.6z",
    ),
    // A ring with the hands of a clock.
    (
        "stale",
        "M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22zM12 3.6a8.4 8.4 0 1 1 0 16.8 8.4 8.4 0 0 1 0-16.8zM10.9 6.5h2.2v5.2l3.7 2.1-1.1 1.9-4.8-2.8z",
    ),
    // A ring with three dots.
    (
        "starting",
        "M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22zM12 3.6a8.4 8.4 0 1 1 0 16.8 8.4 8.4 0 0 1 0-16.8zM5.8 10.8h2.4v2.4H5.8zM10.8 10.8h2.4v2.4h-2.4zM15.8 10.8h2.4v2.4h-2.4z",
    ),
    // An arrow around.
    ("repaired", "M12 4.5V1l5 4.5-5 4.5V7a5.5 5.5 0 1 0 5.5 5.5h2.5a8 8 0 1 1-8-8z"),
    // An arrow out of a door.
    ("ended", "M4 3h9v2.5H6.5v13H13V21H4zM14.7 7l5 5-5 5-1.8-1.8 2-2H9.5v-2.4h5.4l-2-2z"),
    // Two sheets.
    (
        "copy",
        "M8 2h11q3 0 3 3v11h-2.4V5q0-.6-.6-.6H8zM4 6h11q2 0 2 2v12q0 2-2 2H4q-2 0-2-2V8q0-2 2-2zM4.4 8.4v11.2h10.2V8.4z",
    ),
    ("fold", "M7 3.5l11 8.5-11 8.5z"),
];

/// What `icon` refers to.
pub fn sprite() -> Markup {
    html! {
        svg .sprite aria-hidden="true" {
            @for (name, outline) in ICONS {
                symbol id={ "i-" (name) } viewBox="0 0 24 24" { path fill-rule="evenodd" d=(outline) {} }
            }
        }
    }
}

/// An icon beside its word; screen readers skip it.
pub fn icon(name: &str) -> Markup {
    html! { svg .icon aria-hidden="true" { use href={ "#i-" (name) } {} } }
}
