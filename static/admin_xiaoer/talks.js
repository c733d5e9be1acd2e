// A conversation: what comes while it is open, ready answers, one sending a tap.
(() => {
  "use strict";

  const EVERY_MS = 5000;

  const toEnd = (box) => {
    const lines = box.querySelector(".xe-talk-lines");
    if (lines) lines.scrollTop = lines.scrollHeight;
  };

  const watch = (box) => {
    const look = async () => {
      if (document.visibilityState === "visible") {
        try {
          const answer = await fetch(`?live=${encodeURIComponent(box.dataset.talkLive)}`, { redirect: "error" });
          if (answer.status === 200) {
            box.innerHTML = await answer.text();
            box.dataset.talkLive = box.querySelector("[data-seen]")?.dataset.seen ?? "";
            toEnd(box);
          }
        } catch { /* looked at again soon */ }
      }
      setTimeout(look, EVERY_MS);
    };
    toEnd(box);
    setTimeout(look, EVERY_MS);
  };

  const offer = (box) => {
    const field = document.getElementById("talk-text");
    const search = box.querySelector("[data-replies-search]");
    const none = box.querySelector("[data-replies-none]");
    const rows = [...box.querySelectorAll("[data-reply]")];
    box.addEventListener("click", (event) => {
      const chosen = event.target.closest("[data-reply]");
      if (!chosen || !field) return;
      const gap = field.value && !/\s$/.test(field.value) ? "\n" : "";
      field.value += gap + chosen.dataset.reply;
      field.focus();
    });
    search?.addEventListener("input", () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row) => {
        const fits = words.every((word) => row.textContent.toLowerCase().includes(word));
        row.parentElement.hidden = !fits;
        shown += fits;
      });
      none.hidden = shown > 0;
    });
  };

  const sendOnce = (form) => {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
    window.addEventListener("pageshow", () => { delete form.dataset.sent; });
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-talk-live]").forEach(watch);
    document.querySelectorAll("[data-replies]").forEach(offer);
    document.querySelectorAll("form[data-once]").forEach(sendOnce);
  });
})();
