// What the pages do by themselves: pulse, search, endless list, toasts, single submits. Texts come from the page.
(() => {
  "use strict";

  const PULSE_MS = 4000;
  const SLOWEST_PULSE_MS = 30000;
  const SEARCH_MS = 300;
  const TOAST_MS = 5000;
  const byId = (id) => document.getElementById(id);

  // Pulse: only while somebody looks; slower while the network fails.
  let failures = 0;
  let timer = 0;

  const planPulse = () => {
    clearTimeout(timer);
    if (byId("pulse")) timer = setTimeout(beat, Math.min(PULSE_MS * 2 ** failures, SLOWEST_PULSE_MS));
  };

  const beat = () => {
    if (document.visibilityState === "visible" && window.htmx) window.htmx.trigger("#pulse", "pulse");
    planPulse();
  };

  // A chosen chip beyond the edge of its row is brought into it.
  const showChosen = () => document.querySelectorAll(".chips .is-on").forEach((one) => {
    const chip = one.getBoundingClientRect();
    const row = one.parentElement.getBoundingClientRect();
    if (chip.right > row.right || chip.left < row.left) one.parentElement.scrollLeft += chip.left - row.left - 16;
  });
  window.addEventListener("pageshow", showChosen);
  document.addEventListener("htmx:afterSettle", showChosen);

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") beat();
  });
  window.addEventListener("pageshow", (event) => {
    document.querySelectorAll("form[data-once]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll(".is-sent").forEach((button) => button.classList.remove("is-sent"));
    });
    if (event.persisted) beat();
  });

  const notePulse = (worked) => {
    failures = worked ? 0 : failures + 1;
    const bar = byId("offline");
    if (bar) bar.hidden = failures < 2;
    planPulse();
  };

  // What of today's sales was told goes along from page to page, so that nothing is told twice or missed in between.
  const DEALS = "pulse-deals";
  const keepDeals = () => {
    const mark = byId(DEALS);
    if (!mark) return;
    try {
      if (mark.value) sessionStorage.setItem(DEALS, mark.value);
      else mark.value = sessionStorage.getItem(DEALS) || "";
    } catch {
      return; // a phone that keeps nothing: each page begins anew
    }
  };
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id === DEALS || (event.detail.elt && event.detail.elt.id === DEALS)) keepDeals();
  });

  // Toasts go by themselves.
  const keepToastsShort = () => {
    const toasts = byId("toasts");
    if (!toasts) return;
    new MutationObserver((changes) => {
      changes.flatMap((change) => [...change.addedNodes]).forEach((node) => {
        if (node.nodeType === 1) setTimeout(() => node.remove(), TOAST_MS);
      });
    }).observe(toasts, { childList: true });
  };

  const say = (text) => {
    const toasts = byId("toasts");
    if (!toasts || !text) return null;
    const line = document.createElement("p");
    line.className = "notice notice_plain";
    line.textContent = text;
    toasts.append(line);
    return line;
  };

  // What takes a moment says so at once; the word goes when the answer is there.
  const doings = new Map();
  document.addEventListener("htmx:beforeRequest", (event) => {
    const source = event.detail.elt;
    if (source.dataset.saying) doings.set(source, say(source.dataset.saying));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const source = event.detail.elt;
    const answer = event.detail.xhr;
    if (!doings.has(source) || (answer && answer.getResponseHeader("HX-Redirect"))) return;
    const line = doings.get(source);
    if (line) line.remove();
    doings.delete(source);
  });

  document.addEventListener("refused", (event) => say(event.detail.text));

  const onFailure = (event) => {
    const source = event.detail.elt;
    if (source.id === "pulse") {
      notePulse(false);
    } else if (source.id === "face-live") {
      return; // looked at again soon (showing.js)
    } else if (source.classList.contains("stretch")) {
      source.classList.add("is-failed");
    } else if (!(event.detail.xhr && event.detail.xhr.getResponseHeader("HX-Trigger"))) {
      say(byId("toasts") && byId("toasts").dataset.failed);
    }
  };
  ["htmx:sendError", "htmx:timeout", "htmx:responseError"].forEach((name) => {
    document.addEventListener(name, onFailure);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "pulse" && event.detail.successful) notePulse(true);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    event.detail.elt.classList.remove("is-failed");
  });

  // A row that comes by pulse may be in the list already: the old one goes, the new one is marked.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id !== "member-list") return;
    const empty = byId("members-empty");
    if (empty) empty.remove();
    event.detail.fragment.querySelectorAll(".row[id]").forEach((row) => {
      const old = byId(row.id);
      if (old) old.remove();
      row.classList.add("is-fresh");
    });
  });

  // The address says what the list shows, so that coming back from a member finds the same place.
  const rememberList = () => {
    const marks = document.querySelectorAll("main [data-page-url]");
    if (marks.length) history.replaceState(history.state, "", marks[marks.length - 1].dataset.pageUrl);
  };
  document.addEventListener("htmx:afterSettle", rememberList);

  // Search while typing; not in the middle of an input method's composition.
  const listenToSearch = (form) => {
    const field = form.querySelector("input[type=search]");
    const clear = form.querySelector("[data-clear]");
    let wait = 0;
    let last = field.value.trim();
    const search = () => {
      clearTimeout(wait);
      if (field.value.trim() === last) return;
      last = field.value.trim();
      window.htmx.trigger(form, "search-now");
      window.scrollTo(0, 0);
    };
    const typed = (event) => {
      clear.hidden = !field.value;
      clearTimeout(wait);
      if (!event.isComposing) wait = setTimeout(search, SEARCH_MS);
    };
    field.addEventListener("input", typed);
    field.addEventListener("compositionend", typed);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      search();
      field.blur();
    });
    clear.addEventListener("click", () => {
      field.value = "";
      clear.hidden = true;
      search();
      field.focus();
    });
  };

  // A second tap does not send twice; 后退 makes the form usable again (pageshow above).
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.querySelectorAll("button").forEach((button) => button.classList.add("is-sent"));
  });

  // A dialog at the foot of the page: what lies behind it cannot be reached while it is open.
  let opener = "";
  const followSheet = () => {
    const sheet = byId("sheet");
    const isOpen = Boolean(sheet && sheet.firstElementChild);
    if (isOpen === document.body.classList.contains("has-sheet")) return;
    document.body.classList.toggle("has-sheet", isOpen);
    document.querySelectorAll("main, .tabs").forEach((part) => { part.inert = isOpen; });
    if (isOpen) {
      (sheet.querySelector("[autofocus]") || sheet.querySelector("[role=dialog]")).focus();
    } else {
      // The button may have been drawn anew meanwhile.
      const button = [...document.querySelectorAll("[hx-get]")].find((one) => one.getAttribute("hx-get") === opener);
      if (button) button.focus();
    }
  };
  const closeSheet = () => {
    const sheet = byId("sheet");
    if (sheet) sheet.replaceChildren();
    followSheet();
  };
  // A ready answer goes behind what was typed, to be looked over before it is sent.
  const put = (text) => {
    const field = byId("talk-text");
    if (!field) return;
    field.value += (field.value && !/\s$/.test(field.value) ? "\n" : "") + text;
    grow(field);
    field.focus();
    field.scrollTop = field.scrollHeight;
  };
  // What is to be sent is seen whole, up to eight lines. By rows: a style would be refused when the form is drawn anew.
  const grow = (field) => {
    field.rows = 2;
    while (field.scrollHeight > field.clientHeight && field.rows < 8) field.rows += 1;
  };
  document.addEventListener("input", (event) => {
    if (event.target.id === "talk-text") grow(event.target);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-sheet]")) closeSheet();
    const ready = event.target.closest("[data-say]");
    if (ready) put(ready.dataset.say);
    const asked = event.target.closest("[hx-target='#sheet']");
    if (asked) opener = asked.getAttribute("hx-get");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeSheet();
  });
  document.addEventListener("htmx:afterSettle", followSheet);
  document.addEventListener("htmx:afterRequest", followSheet);

  // What may be seen for a moment only: counts down and goes, also when the page is left.
  let seen = 0;
  const hideLater = () => {
    clearInterval(seen);
    const mark = document.querySelector("#sheet [data-hide-after]");
    if (!mark) return;
    const until = Date.now() + Number(mark.dataset.hideAfter) * 1000;
    seen = setInterval(() => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (!mark.isConnected) clearInterval(seen);
      else if (left > 0) mark.querySelector("[data-seconds]").textContent = left;
      else closeSheet();
    }, 250);
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id === "sheet") hideLater();
  });
  window.addEventListener("pagehide", () => {
    if (document.querySelector("#sheet [data-hide-after]")) closeSheet();
  });

  const reloadLater = (mark) => {
    setTimeout(() => {
      if (document.visibilityState === "visible") location.reload();
      else reloadLater(mark);
    }, Number(mark.dataset.reloadAfter) * 1000);
  };

  keepDeals();
  keepToastsShort();
  document.querySelectorAll("[data-search]").forEach(listenToSearch);
  document.querySelectorAll("[data-reload-after]").forEach(reloadLater);
  planPulse();
})();
