// A journey's picture is made larger and smaller and shows the step that is worked on; after a step came or went its card has the focus.
(() => {
  "use strict";

  const LEAST = 0.1;
  const MOST = 1.5;
  // Below this words in boxes are not read; a wider picture is scrolled instead.
  const READABLE = 0.7;
  // What somebody chose: a number, "whole", or nothing yet.
  let chosen = null;
  let place = null;
  let asked = null;

  const picture = () => document.querySelector(".xe-jour-picture");
  const bounded = (scale, least) => Math.min(MOST, Math.max(least, scale));

  const scaleOf = (box, width, height) => {
    if (typeof chosen === "number") return chosen;
    const wide = (box.clientWidth - 2) / width;
    if (chosen === "whole") return bounded(Math.min(1, wide, (box.clientHeight - 2) / height), LEAST);
    return bounded(Math.min(1, wide), READABLE);
  };

  const apply = () => {
    const box = picture();
    const svg = box?.querySelector("svg");
    if (!svg) return;
    const { width, height } = svg.viewBox.baseVal;
    // The whole is fitted into the height that it may have, not into the one that it has.
    if (chosen === "whole") svg.setAttribute("height", String(height));
    const scale = scaleOf(box, width, height);
    svg.setAttribute("width", String(Math.round(width * scale)));
    svg.setAttribute("height", String(Math.round(height * scale)));
    svg.dataset.scale = String(scale);
    const told = document.querySelector("[data-zoom-now]");
    if (told) told.textContent = `${Math.round(scale * 100)}%`;
  };

  const zoom = (how) => {
    const now = Number(picture()?.querySelector("svg")?.dataset.scale ?? 1);
    if (how === "in") chosen = bounded(Math.round((now + 0.1) * 10) / 10, LEAST);
    else if (how === "out") chosen = bounded(Math.round((now - 0.1) * 10) / 10, LEAST);
    else chosen = how === "whole" ? "whole" : 1;
    apply();
  };

  const show = (box) => {
    const frame = picture();
    if (!box || !frame) return;
    const at = box.getBoundingClientRect();
    const seen = frame.getBoundingClientRect();
    const isSeen = at.top >= seen.top && at.bottom <= seen.bottom && at.left >= seen.left && at.right <= seen.right;
    if (isSeen) return;
    frame.scrollTop += at.top + at.height / 2 - seen.top - seen.height / 2;
    frame.scrollLeft += at.left + at.width / 2 - seen.left - seen.width / 2;
  };

  const choose = (name) => {
    for (const box of document.querySelectorAll(".xe-jour-edit .xe-jour-box")) box.classList.toggle("is-chosen", box.dataset.step === name);
    if (name) show(document.querySelector(`.xe-jour-box[data-step="${CSS.escape(name)}"]`));
  };

  const cards = () => [...document.querySelectorAll(".xe-jour-step")];
  const worked = () => document.activeElement?.closest?.(".xe-jour-step")?.id.replace("step-", "") ?? "";
  const focusCard = (card) => {
    card?.querySelector("select")?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: "center" });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (button) zoom(button.dataset.zoom);
    const deed = event.target.closest("#journey-form [name=deed]");
    if (deed) asked = { known: new Set(cards().map((card) => card.id)), at: cards().indexOf(deed.closest(".xe-jour-step")) };
    const link = event.target.closest(".xe-jour-edit .xe-jour-picture a");
    if (link) {
      event.preventDefault();
      focusCard(document.getElementById(link.getAttribute("href").slice(1)));
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== picture() || event.ctrlKey || event.metaKey || event.altKey) return;
    const how = { "+": "in", "=": "in", "-": "out", 0: "one", w: "whole" }[event.key];
    if (!how) return;
    event.preventDefault();
    zoom(how);
  });
  // The box in the head of a table ticks all below it, and says whether all are.
  document.addEventListener("change", (event) => {
    const all = document.querySelector("[data-all]");
    if (!all) return;
    const boxes = [...document.querySelectorAll(`[name="${all.dataset.all}"]`)];
    if (event.target === all) for (const box of boxes) box.checked = all.checked;
    all.checked = boxes.every((box) => box.checked);
    all.indeterminate = !all.checked && boxes.some((box) => box.checked);
  });
  document.addEventListener("focusin", (event) => {
    const card = event.target.closest(".xe-jour-step");
    if (card) choose(worked());
  });

  document.addEventListener("htmx:beforeSwap", () => {
    const box = picture();
    if (box) place = [box.scrollLeft, box.scrollTop];
  });
  document.addEventListener("htmx:afterSwap", () => {
    apply();
    const box = picture();
    if (box && place) [box.scrollLeft, box.scrollTop] = place;
    if (asked) {
      const fresh = cards().find((card) => !asked.known.has(card.id));
      if (fresh) focusCard(fresh);
      else if (cards().length < asked.known.size) focusCard(cards()[Math.min(Math.max(asked.at, 0), cards().length - 1)]);
      asked = null;
    }
    if (worked()) choose(worked());
  });

  document.addEventListener("DOMContentLoaded", () => {
    apply();
    show(document.querySelector(".xe-jour-two .xe-jour-box.is-chosen"));
  });
  window.addEventListener("resize", apply);
})();
