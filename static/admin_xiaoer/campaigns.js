// The campaign's form: the fields that its rhythm needs, and numbers and phones that follow what is typed.
(() => {
  "use strict";

  const WAIT_MS = 600;

  const start = (form) => {
    const look = form.querySelector("#campaign-look");
    const every = form.elements.namedItem("every");
    let timer = 0;
    const show = () => {
      form.querySelectorAll("[data-every]").forEach((box) => { box.hidden = box.dataset.every !== every.value; });
      form.querySelectorAll("[data-rule]").forEach((box) => { box.hidden = !every.value; });
    };
    const changed = () => {
      show();
      window.clearTimeout(timer);
      timer = window.setTimeout(() => window.htmx?.trigger(look, "xe:look"), WAIT_MS);
    };
    form.addEventListener("input", changed);
    form.addEventListener("change", changed);
    show();
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("form[data-campaign]").forEach(start));
})();
