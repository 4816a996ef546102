//! Names that would be more than names.

use super::EVERY_SECOND;
use crate::support::{Agent, Database, Page};

/// What must never be done.
const HIT: &str = "window.hit = 1";

#[tokio::test]
async fn they_are_only_text_however_they_come_to_the_page() {
    let mut database = Database::new().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let query = "?q=%22%3E%3Cscript%3Ewindow.hit%3D1%3C/script%3E%E2%80%AE%D7%90";
    let pages = ["", query].map(|query| Page::open(&agent.url(query)));
    pages.iter().for_each(|page| drop(page.says(&["No sequences found in", "Live"])));
    // They come while the pages are open.
    let long = "W".repeat(63);
    let names = [
        format!("<script>{HIT}</script>"),
        format!("<img src=x onerror=\"{HIT}\">"),
        format!("'\"><svg onload='{HIT}'>"),
        "evil\u{202e}txt".to_owned(),
        "\u{5d0}\u{5d1}\u{5d2} \u{62c}\u{62f}\u{648}\u{644}".to_owned(),
        long.clone(),
    ];
    for name in &names {
        let table = name.replace('"', "\"\"");
        database.sql(&format!("CREATE TABLE \"{table}\" (\"{long}\" serial)")).await;
        database.sql(&format!("INSERT INTO \"{table}\" VALUES (2000000000)")).await;
    }
    let shown = [
        "No insert is failing; 6 decisions are waiting",
        "public.\"<script>window.hit = 1</script>",
        "public.\"<img src=x onerror=\"\"window.hit = 1\"\">",
        "public.\"'\"\"><svg onload='window.hit = 1'>",
        "evil\\u{202e}txt",
        &long,
    ];
    pages[0].says(&shown);
    pages[1].says(&shown[..1]);
    for page in pages {
        let hits = page.look(
            "[window.hit, document.scripts.length, document.querySelectorAll('img, [onload], [onerror]').length]",
        );
        assert_eq!(hits, serde_json::json!([null, 1, 0]));
        page.close();
    }
    let page = Page::open(&agent.url(""));
    page.says(&shown);
    page.is_for_everyone("hostile");
    // What is written from right to left turns nothing around it.
    let around = "[...document.querySelectorAll('#attention header')].map((what) => {
        const [name, database] = what.querySelectorAll('bdi');
        const [a, b] = [name, database].map((part) => [...part.getClientRects()].at(-1));
        return a.top < b.top || a.right <= b.left;
    }).every(Boolean)";
    page.act("widen", 1440);
    assert_eq!(page.look(around), true);
    page.close();
    agent.stop();
}
