// Keeps an open page up to date: fetches the page again when the server announces a change, and replaces the parts that
// differ. It only reads. Without this script the page is the same but does not update.
"use strict";

(() => {
  // Milliseconds without a message after which the agent counts as unreachable. The server sends messages more often.
  const SILENCE = 25000;
  // The same after a stream has ended: the browser reconnects within two seconds.
  const LOST = 6000;
  // How long a request may take, and the pause before the next try.
  const AGAIN = 10000;

  const stale = document.getElementById("stale");
  let revision = document.body.dataset.revision;
  // The agent's clock at the last update, and this page's clock at that moment.
  let asOf, asOfHere;
  let contact = performance.now();
  let lost = null;
  // The headline and the title to restore, while the agent is unreachable.
  let kept = null;
  let stream = null;
  let fetching = false;
  let wanted = false;

  const readClock = () => {
    asOf = Date.parse(document.getElementById("as-of").dateTime);
    asOfHere = performance.now();
  };

  const onContact = () => {
    contact = performance.now();
    lost = null;
    update();
  };

  // The same format as moment.rs.
  const span = (seconds) => {
    const two = (large, small, one, other) => (small ? `${large} ${one} ${small} ${other}` : `${large} ${one}`);
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return two(Math.floor(s / 60), s % 60, "min", "s");
    if (s < 86400) return two(Math.floor(s / 3600), Math.floor((s % 3600) / 60), "h", "min");
    return two(Math.floor(s / 86400), Math.floor((s % 86400) / 3600), "d", "h");
  };

  // Hides the last headline while the state is unknown, because it may say that everything is healthy.
  const headline = (gone) => {
    const shown = document.getElementById("headline");
    if (gone) {
      kept = { node: shown.cloneNode(true), title: document.title };
      document.getElementById("said").textContent = "";
      shown.className = "";
      shown.textContent = "? State unknown";
      document.title = `${shown.textContent} – pgmedic`;
    } else {
      shown.replaceWith(kept.node);
      document.title = kept.title;
    }
  };

  const update = () => {
    const here = performance.now();
    for (const time of document.querySelectorAll("time[data-ago]")) {
      time.textContent = `${span((asOf + here - asOfHere - Date.parse(time.dateTime)) / 1000)} ago`;
    }
    const gone = !document.hidden && (here - contact > SILENCE || (lost !== null && here - lost > LOST));
    if (gone === stale.hidden) {
      stale.hidden = !gone;
      document.body.classList.toggle("stale", gone);
      headline(gone);
      stale.textContent = gone
        ? `✕ The agent does not respond. This page shows the state at ${document.getElementById("as-of").textContent}; the current state is unknown.`
        : "";
    }
    const live = document.getElementById("live");
    const label = gone ? "– not live" : "· live";
    if (live.textContent !== label) live.textContent = label;
  };

  // True while text in the part is selected: replacing it would lose the selection. The next update replaces it.
  const isInUse = (part) => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed && selection.containsNode(part, true);
  };

  const show = (page) => {
    const before = document.getElementById("headline").textContent;
    onContact();
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = page.getElementById(part.id);
      if (next === null || isInUse(part) || next.outerHTML === part.outerHTML) continue;
      const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
      part.replaceWith(document.adoptNode(next));
      if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    }
    const headline = document.getElementById("headline").textContent;
    const said = document.getElementById("said");
    if (headline !== before) said.textContent = headline;
    document.title = page.title;
    readClock();
    update();
  };

  const refresh = () => {
    if (fetching) {
      wanted = true;
      return;
    }
    fetching = true;
    // responseType "document" gives a parsed document whose scripts do not run.
    const request = new XMLHttpRequest();
    request.open("GET", location.href.replace(/#.*/, ""));
    request.responseType = "document";
    request.timeout = AGAIN;
    request.onload = () => {
      const page = request.response;
      if (request.status === 200 && page?.body?.dataset.revision) {
        revision = page.body.dataset.revision;
        show(page);
      }
    };
    request.onloadend = () => {
      fetching = false;
      if (wanted) {
        wanted = false;
        refresh();
      }
    };
    request.send();
  };

  const open = () => {
    if (stream !== null || document.hidden) return;
    stream = new EventSource(`events?since=${revision}`);
    stream.onopen = onContact;
    stream.onmessage = () => {
      onContact();
      refresh();
    };
    stream.onerror = () => {
      lost ??= performance.now();
      if (stream.readyState !== EventSource.CLOSED) return;
      // The stream was refused: too many streams, or a proxy responds for a stopped agent. Poll instead.
      stream = null;
      setTimeout(() => {
        refresh();
        open();
      }, AGAIN);
    };
  };

  // Close the stream while the page is hidden.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream?.close();
      stream = null;
    } else {
      contact = performance.now();
      lost = null;
      refresh();
      open();
    }
  });

  readClock();
  update();
  setInterval(update, 1000);
  open();
})();
