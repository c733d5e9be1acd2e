// The coupon desks: fields shown by kind, chips, pickers, spans of a day, and forms that are sent once.
(() => {
  "use strict";

  const changed = (from) => from.dispatchEvent(new Event("change", { bubbles: true }));

  const chip = (name, value, title) => {
    const made = document.createElement("span");
    made.className = "xe-chip";
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    const drop = document.createElement("button");
    drop.type = "button";
    drop.textContent = "×";
    drop.setAttribute("aria-label", "去掉");
    made.append(input, title, drop);
    return made;
  };

  const SIGNS = /[\s,，；;、]+/;

  const has = (box, value) => [...box.querySelectorAll("input[type=hidden]")].some((input) => input.value === value);

  // What was typed or pasted becomes chips at commas, blanks and line ends.
  const takeTyped = (box) => {
    const typed = box.querySelector(":scope > input");
    for (const word of typed.value.split(SIGNS).filter(Boolean)) {
      if (!has(box, word)) typed.before(chip(box.dataset.chips, word, word));
    }
    typed.value = "";
    box.closest("[data-picker]").querySelector(".xe-found").replaceChildren();
  };

  // By the arrows through what was found, Enter takes it (in the field: the first, if it was found for what stands there
  // now), Escape closes it. Where codes may be typed, several of them are no text that was looked for.
  const walk = (picker, event) => {
    const search = picker.querySelector(".xe-chips > input");
    const found = [...picker.querySelectorAll(".xe-found button")];
    const place = found.indexOf(event.target);
    if (event.key === "Enter" && event.target === search) {
      const takesTyped = search.closest("[data-chips]");
      const isFound = found.length && picker.dataset.foundFor === search.value;
      if (!event.isComposing && search.value && isFound && !(takesTyped && SIGNS.test(search.value))) {
        found[0].click();
        return true;
      }
      return !takesTyped;
    }
    if (event.key === "Escape" && found.length) {
      picker.querySelector(".xe-found").replaceChildren();
      search.focus();
      return true;
    }
    if (event.key === "ArrowDown" && found[place + 1]) {
      found[place + 1].focus();
      return true;
    }
    if (event.key === "ArrowUp" && place >= 0) {
      (found[place - 1] ?? search).focus();
      return true;
    }
    return false;
  };

  document.addEventListener("keydown", (event) => {
    const picker = event.target.closest("[data-picker]");
    if (picker && walk(picker, event)) {
      event.preventDefault();
      return;
    }
    const box = event.target.closest("[data-chips]");
    if (box && ["Enter", ",", "，"].includes(event.key) && !event.isComposing) {
      event.preventDefault();
      takeTyped(box);
      changed(box);
      return;
    }
    const holder = event.target.closest(".xe-chips");
    if (holder && event.key === "Backspace" && !event.target.value) {
      const last = event.target.previousElementSibling;
      if (last) {
        last.remove();
        changed(holder);
      }
    }
  });

  document.addEventListener("focusout", (event) => {
    const box = event.target.closest("[data-chips]");
    if (box && event.target.value && !box.closest("[data-picker]").contains(event.relatedTarget)) {
      takeTyped(box);
      changed(box);
    }
  });

  // The field keeps its focus while something that was found is pressed: leaving it would take what stands there.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest(".xe-found")) event.preventDefault();
  });

  // What was found answers what stood there when it was asked, not what has been typed since.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const picker = event.target.closest?.("[data-picker]");
    if (picker) picker.dataset.askedFor = picker.querySelector(".xe-chips > input").value;
  });

  // What was told of a rule that has changed since is not told of the new one.
  const outdate = (event) => {
    const form = event.target.closest?.("form") ?? document.querySelector("form[data-why]");
    if (event.target.name === "who") return;
    for (const told of form?.querySelectorAll("[data-told]") ?? []) told.classList.toggle("is-old", told.childElementCount > 0);
  };
  for (const name of ["input", "change", "segment-changed"]) document.addEventListener(name, outdate);

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.matches?.("[data-told]")) event.target.classList.remove("is-old");
    const picker = event.target.closest?.("[data-picker]");
    if (picker) picker.dataset.foundFor = picker.dataset.askedFor;
  });

  document.addEventListener("click", (event) => {
    const drop = event.target.closest(".xe-chip > button");
    if (drop) {
      const holder = drop.closest(".xe-chips");
      drop.parentElement.remove();
      changed(holder);
      return;
    }
    const pick = event.target.closest("[data-pick], [data-pick-all]");
    if (pick) {
      const picker = pick.closest("[data-picker]");
      const chips = picker.querySelector(".xe-chips");
      const search = chips.querySelector(":scope > input");
      for (const one of "pickAll" in pick.dataset ? picker.querySelectorAll("[data-pick]") : [pick]) {
        if (!has(chips, one.dataset.pick)) search.before(chip(picker.dataset.picker, one.dataset.pick, one.textContent));
      }
      picker.querySelector(".xe-found").replaceChildren();
      search.value = "";
      search.focus();
      changed(chips);
      return;
    }
    const add = event.target.closest("[data-add]");
    if (add) {
      const spans = add.closest("[data-spans]");
      add.before(spans.querySelector("template").content.cloneNode(true));
      add.previousElementSibling.querySelector("input").focus();
      return;
    }
    const gone = event.target.closest("[data-drop]");
    if (gone) {
      const spans = gone.closest("[data-spans]");
      gone.parentElement.remove();
      changed(spans);
      return;
    }
    for (const found of document.querySelectorAll(".xe-found:not(:empty)")) {
      if (!found.closest("[data-picker]").contains(event.target)) found.replaceChildren();
    }
  });

  const showByChoice = (form) => {
    for (const [field, mark] of [["kind", "kinds"], ["validity", "validity"], ["way", "way"]]) {
      const chosen = form.querySelector(`input[name="${field}"]:checked`);
      for (const box of form.querySelectorAll(`[data-${mark}]`)) {
        box.hidden = !chosen || !box.dataset[mark].split(" ").includes(chosen.value);
      }
    }
  };

  // A region that is ticked holds all below it.
  const showTree = (tree) => {
    let above = Infinity;
    for (const label of tree.querySelectorAll("label")) {
      const input = label.querySelector("input");
      const depth = Number(input.dataset.depth);
      if (depth <= above) above = Infinity;
      label.classList.toggle("xe-implied", depth > above);
      if (above === Infinity && input.checked) above = depth;
    }
  };

  const draw = (root) => {
    root.querySelectorAll("[data-builder], [data-issue]").forEach(showByChoice);
    root.querySelectorAll(".xe-tree").forEach(showTree);
  };

  document.addEventListener("change", () => draw(document));
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]") || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    // Back from the next page the form may be sent again.
    window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
  });
  document.addEventListener("DOMContentLoaded", () => draw(document));
})();
