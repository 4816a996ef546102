// Keeps an open page up to date. It only reads: the page as the server makes it, whenever the server says that there
// is news. Without this script the same page stands still.
"use strict";

(() => {
  // The server is asked for a stream or answers one more often than this, unless it is gone.
  const SILENCE = 25000;
  // A stream that ended begins anew within a second or two.
  const LOST = 6000;
  const AGAIN = 10000;

  const stale = document.getElementById("stale");
  let revision = document.body.dataset.revision;
  // The agent's clock, whatever this machine's says.
  let asOf, asOfHere;
  let contact = performance.now();
  let lost = null;
  // Headline and title of before, while nobody answers.
  let kept = null;
  let stream = null;
  let fetching = false;
  let wanted = false;

  const readClock = () => {
    asOf = Date.parse(document.getElementById("as-of").dateTime);
    asOfHere = performance.now();
  };

  const heard = () => {
    contact = performance.now();
    lost = null;
    tell();
  };

  // As moment.rs says it.
  const span = (seconds) => {
    const two = (large, small, one, other) => (small ? `${large} ${one} ${small} ${other}` : `${large} ${one}`);
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return two(Math.floor(s / 60), s % 60, "min", "s");
    if (s < 86400) return two(Math.floor(s / 3600), Math.floor((s % 3600) / 60), "h", "min");
    return two(Math.floor(s / 86400), Math.floor((s % 86400) / 3600), "d", "h");
  };

  // Whoever only glances at it is not to read that all is well.
  const headline = (gone) => {
    const shown = document.getElementById("headline");
    if (gone) {
      kept = { node: shown.cloneNode(true), title: document.title };
      document.getElementById("said").textContent = "";
      shown.className = "";
      shown.textContent = "? Not known at the moment";
      document.title = `${shown.textContent} – pgmedic`;
    } else {
      shown.replaceWith(kept.node);
      document.title = kept.title;
    }
  };

  const tell = () => {
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
        ? `✕ The agent does not answer. What you see was so at ${document.getElementById("as-of").textContent}; how it is now is not known.`
        : "";
    }
    const live = document.getElementById("live");
    const said = gone ? "– not live" : "· live";
    if (live.textContent !== said) live.textContent = said;
  };

  // Whoever copies from a part, or stands in it, keeps it as it is until the next time.
  const isInUse = (part) => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed && selection.containsNode(part, true);
  };

  const show = (page) => {
    const before = document.getElementById("headline").textContent;
    heard();
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
    tell();
  };

  const refresh = () => {
    if (fetching) {
      wanted = true;
      return;
    }
    fetching = true;
    // A parsed document, in which no script runs.
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
    stream.onopen = heard;
    stream.onmessage = () => {
      heard();
      refresh();
    };
    stream.onerror = () => {
      lost ??= performance.now();
      if (stream.readyState !== EventSource.CLOSED) return;
      // Refused: all places are taken, or a proxy answers for an agent that is gone. Ask now and then instead.
      stream = null;
      setTimeout(() => {
        refresh();
        open();
      }, AGAIN);
    };
  };

  // Nobody looks: a stream less for the agent.
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
  tell();
  setInterval(tell, 1000);
  open();
})();
