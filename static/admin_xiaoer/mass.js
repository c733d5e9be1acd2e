// The mass message's form: the fields that its kind and its audience need, and the phone beside it.
(() => {
  "use strict";

  const TEXT_BYTES = 2048;

  const bubble = (form) => {
    const read = (name) => form.elements.namedItem(name)?.value ?? "";
    const kind = read("kind");
    const made = document.createElement("div");
    if (kind === "text") {
      made.className = "xe-bubble";
      made.textContent = read("text") || "（还没有文字）";
      return made;
    }
    if (kind === "image") {
      const file = form.elements.namedItem("picture").files[0];
      const source = file ? URL.createObjectURL(file) : form.dataset.picture;
      if (source) {
        const image = document.createElement("img");
        image.className = "xe-picture";
        image.alt = "图片";
        image.src = source;
        return image;
      }
      made.className = "xe-picture xe-noimage";
      made.textContent = "图片";
      return made;
    }
    made.className = "xe-article";
    const title = document.createElement("b");
    const chosen = form.elements.namedItem("article");
    title.textContent = (chosen.value && chosen.selectedOptions[0].textContent) || read("article_id") || "（还没有图文）";
    const words = document.createElement("div");
    words.append(title);
    made.append(words);
    return made;
  };

  const start = (form) => {
    const phone = form.querySelector("[data-mass-phone]");
    const bytes = form.querySelector("[data-mass-bytes]");
    let isAsked = false;
    const draw = () => {
      for (const name of ["kind", "audience"]) {
        const wanted = form.elements.namedItem(name).value;
        form.querySelectorAll(`[data-${name}]`).forEach((box) => { box.hidden = box.dataset[name] !== wanted; });
      }
      if (form.elements.namedItem("kind").value === "article" && !isAsked) {
        isAsked = true;
        window.htmx?.trigger(form.querySelector("[data-mass-drafts]"), "xe:drafts");
      }
      const shown = bubble(form);
      phone.replaceChildren(shown);
      if (form.elements.namedItem("kind").value === "text") shown.dispatchEvent(new Event("xe:rich", { bubbles: true }));
      const size = new TextEncoder().encode(form.elements.namedItem("text").value).length;
      bytes.textContent = `${size} / ${TEXT_BYTES} 字节`;
      bytes.classList.toggle("xe-over", size > TEXT_BYTES);
    };
    form.addEventListener("input", draw);
    form.addEventListener("change", draw);
    form.addEventListener("htmx:afterSettle", draw);
    draw();
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("form[data-mass]").forEach(start));
})();
