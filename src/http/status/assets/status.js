// Keeps an open page up to date: fetches the page again when the server announces a change, and replaces the parts that
// differ. It copies commands, and says when the agent does not answer. It only reads: without it the page is the same but
// does not update.
"use strict";

(() => {
  // Milliseconds without a message after which the agent counts as unreachable. The server sends messages more often.
  const SILENCE = 25000;
  // The same after a stream has ended: the browser reconnects within two seconds.
  const LOST = 6000;
  // How long a request may take, and the pause before the next try.
  const AGAIN = 10000;
  // How long a part under the pointer keeps still after the pointer was moved.
  const STILL = 3000;

  const root = document.documentElement;
  const said = document.getElementById("said");
  let revision = document.body.dataset.revision;
  // The agent's clock at the last update, and this page's clock at that moment.
  let asOf, asOfHere;
  let contact = performance.now();
  let lost = null;
  let gone = false;
  let stream = null;
  let fetching = false;
  let wanted = false;
  // The page that was fetched last, while a part of it could not be shown yet.
  let pending = null;
  let pointer = null;
  // What the server sent for each part: the script changes the times in it.
  const sources = new Map();

  // A page that was fetched may not be shown yet.
  const readClock = (page) => {
    asOf = Date.parse(page.getElementById("as-of").dateTime);
    asOfHere = performance.now();
  };

  const agentTime = () => asOf + performance.now() - asOfHere;

  // The same format as time.rs.
  const span = (seconds) => {
    const two = (large, small, one, other) => (small ? `${large} ${one} ${small} ${other}` : `${large} ${one}`);
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return two(Math.floor(s / 60), s % 60, "min", "s");
    if (s < 86400) return two(Math.floor(s / 3600), Math.floor((s % 3600) / 60), "h", "min");
    return two(Math.floor(s / 86400), Math.floor((s % 86400) / 3600), "d", "h");
  };

  // One unit, rounded down.
  const roughly = (seconds) => span(seconds).split(" ").slice(0, 2).join(" ");

  const setText = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };

  const update = () => {
    const here = performance.now();
    const now = !document.hidden && (here - contact > SILENCE || (lost !== null && here - lost > LOST));
    if (now !== gone) {
      gone = now;
      if (gone) goStale();
      else if (pending === null) refresh();
    }
    const at = agentTime();
    for (const time of document.querySelectorAll("time[data-ago]")) {
      // While nothing is known of now, there is no "ago".
      setText(time, gone ? `at ${time.dateTime.slice(11, 19)}` : `${roughly((at - Date.parse(time.dateTime)) / 1000)} ago`);
    }
    setText(document.getElementById("live"), gone ? "No answer" : "Live");
    if (gone) setText(document.getElementById("headline"), `The agent has not answered for ${span((at - asOf) / 1000)}`);
  };

  // The last state is not shown as the present one: it may say that everything is healthy.
  const goStale = () => {
    const moment = new Date(asOf).toISOString().slice(11, 19);
    const then = document.getElementById("headline").textContent;
    root.className = "js idle stale";
    document.title = "? No answer · pgmedic";
    said.textContent = "The agent does not answer";
    const icon = document.querySelector("#state use");
    icon.setAttribute("href", "#i-stale");
    setText(
      document.getElementById("second"),
      `Whether inserts work is not known. Everything below is from ${moment} UTC; then: ${then}. Trying again.`,
    );
    const cards = document.getElementById("cards");
    const card = document.importNode(document.getElementById("no-answer").content, true);
    if (cards && cards.localName === "ul") cards.prepend(card);
    else if (cards) {
      const list = document.createElement("ul");
      list.append(card);
      cards.className = "";
      cards.replaceChildren(list);
    }
    setText(document.querySelector("#tile-failing h2"), `Failing at ${moment}`);
    // All of it has changed, so all of it is taken anew from the next page.
    sources.clear();
  };

  // Text in the part is selected, the keyboard is in it where the next page has no such place, or the pointer moves in it.
  const isInUse = (part, next) => {
    const selection = document.getSelection();
    if (selection !== null && !selection.isCollapsed && selection.containsNode(part, true)) return true;
    const focused = document.activeElement;
    if (part.contains(focused) && !(focused.id && next.querySelector(`#${CSS.escape(focused.id)}`))) return true;
    return pointer !== null && part.contains(pointer.over) && part.querySelector("table") && performance.now() - pointer.at < STILL;
  };

  const replace = (part, next) => {
    const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...part.querySelectorAll("details[id][open]")].map(({ id }) => id);
    const fresh = document.adoptNode(next);
    part.replaceWith(fresh);
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    return fresh;
  };

  // Replaces a part if the server sent another text for it. False if it is in use.
  const showPart = (part, next) => {
    const source = next.outerHTML;
    if (sources.get(part.id) === source) return true;
    if (isInUse(part, next)) return false;
    sources.set(part.id, source);
    const isTile = part.classList.contains("tile");
    const fresh = replace(part, next);
    if (isTile) fresh.classList.add("changed");
    return true;
  };

  // Adds, replaces and removes the parts of a list by their ids, so that the others stay where they are.
  const showList = (list, next) => {
    let complete = true;
    const ids = new Set([...next.children].map(({ id }) => id));
    for (const child of [...list.children]) {
      if (ids.has(child.id)) continue;
      if (isInUse(child, next)) complete = false;
      else {
        sources.delete(child.id);
        child.remove();
      }
    }
    let before = list.firstElementChild;
    for (const child of [...next.children]) {
      const known = document.getElementById(child.id);
      if (known === null) {
        sources.set(child.id, child.outerHTML);
        list.insertBefore(document.adoptNode(child), before);
        continue;
      }
      complete = showPart(known, child) && complete;
      before = document.getElementById(child.id)?.nextElementSibling ?? null;
    }
    return complete;
  };

  const show = (page) => {
    let complete = true;
    // Sections come and go with the level of the page.
    const outline = (of) => [...of.querySelectorAll("main > *, main section, #attention > *")].map(({ id, localName }) => id || localName).join();
    if (outline(document) !== outline(page)) {
      const [main, next] = [document.getElementById("main"), page.getElementById("main")];
      const field = document.getElementById("q");
      const typed = field === document.activeElement || field?.value !== field?.defaultValue ? field.value : null;
      replace(main, next);
      const again = document.getElementById("q");
      if (typed !== null && again) again.value = typed;
      for (const part of document.querySelectorAll("main [data-live], main #cards > li")) sources.set(part.id, part.outerHTML);
    } else {
      for (const part of document.querySelectorAll("[data-live]")) {
        const next = page.getElementById(part.id);
        if (next !== null && part.closest("#main")) complete = showPart(part, next) && complete;
      }
      const [cards, next] = [document.getElementById("cards"), page.getElementById("cards")];
      if (cards?.localName === "ul" && next?.localName === "ul") complete = showList(cards, next) && complete;
    }
    for (const id of ["bar", "state"]) showPart(document.getElementById(id), page.getElementById(id));
    root.className = `js ${page.documentElement.className}`;
    document.title = page.title;
    return complete;
  };

  const catchUp = () => {
    if (pending === null || gone) return;
    // A copy, because what is shown is taken out of the page.
    if (show(pending.cloneNode(true))) pending = null;
    labelTimes();
    update();
  };

  const receive = (page) => {
    const before = document.getElementById("headline").textContent;
    contact = performance.now();
    lost = null;
    gone = false;
    pending = page;
    readClock(page);
    catchUp();
    update();
    const headline = document.getElementById("headline").textContent;
    if (headline !== before) said.textContent = headline;
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
      // Also the page that says that the sequence is not known any more.
      if ([200, 404].includes(request.status) && page?.body?.dataset.revision) {
        revision = page.body.dataset.revision;
        receive(page);
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

  const onContact = () => {
    contact = performance.now();
    lost = null;
    update();
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

  const copy = async (button) => {
    const command = button.previousElementSibling;
    const label = button.querySelector("span");
    try {
      await navigator.clipboard.writeText(command.textContent);
      label.textContent = "Copied";
    } catch {
      // Only pages from this machine, or over TLS, may use the clipboard.
      document.getSelection().selectAllChildren(command);
      label.textContent = "Press Ctrl+C";
    }
    said.textContent = label.textContent;
    setTimeout(() => {
      label.textContent = "Copy";
    }, 2000);
  };

  // The local time as a tooltip: the text is UTC.
  const labelTimes = () => {
    for (const time of document.querySelectorAll("time[datetime]:not([title])")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.valueOf())) time.title = at.toLocaleString([], { timeZoneName: "short" });
    }
  };

  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("[data-copy]") : null;
    if (button) copy(button);
  });
  document.addEventListener("pointermove", ({ target }) => {
    pointer = { over: target, at: performance.now() };
  });
  // What was kept still may be replaced now.
  for (const event of ["focusout", "selectionchange"]) document.addEventListener(event, () => setTimeout(catchUp));
  setInterval(catchUp, STILL);

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

  root.classList.add("js");
  for (const part of document.querySelectorAll("[data-live], #cards > li")) sources.set(part.id, part.outerHTML);
  labelTimes();
  readClock(document);
  update();
  setInterval(update, 1000);
  open();
})();
