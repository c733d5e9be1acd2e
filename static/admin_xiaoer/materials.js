// 素材: pictures are put in order and taken out before anything is saved, and the phone shows what is typed.
(() => {
  "use strict";

  const element = (tag, className, text = "") => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };
  const imageOf = (source) => {
    const image = element("img");
    image.alt = "";
    image.src = source;
    return image;
  };

  const start = (preview) => {
    const form = document.getElementById("material_form");
    if (!form) return;
    const uploads = form.elements.namedItem("uploads");
    const kept = form.elements.namedItem("kept");
    let pictures = [];
    let fresh = [];
    const tray = element("div", "xe-mat-tray");
    if (uploads) {
      const all = JSON.parse(uploads.dataset.pictures || "[]");
      // A form that came back with an error keeps what was taken out.
      const order = kept.value.split(",").filter(Boolean).map(Number);
      pictures = order.map((id) => all.find((one) => one.id === id)).filter(Boolean);
      uploads.before(tray);
    }

    const move = (place, by) => {
      const [one] = pictures.splice(place, 1);
      if (by) pictures.splice(place + by, 0, one);
      kept.value = pictures.map(({ id }) => id).join(",");
      draw();
    };
    const button = (sign, label, does, isOff = false) => {
      const made = element("button", "", sign);
      made.type = "button";
      made.ariaLabel = label;
      made.title = label;
      made.disabled = isOff;
      made.addEventListener("click", does);
      return made;
    };
    const tileOf = (one, place) => {
      const tile = element("div", "xe-mat-tile");
      const row = element("div");
      row.append(
        button("←", "往前", () => move(place, -1), place === 0),
        button("✕", "去掉", () => move(place, 0)),
        button("→", "往后", () => move(place, 1), place === pictures.length - 1),
      );
      tile.append(imageOf(one.url), row);
      return tile;
    };
    const freshTile = (source) => {
      const tile = element("div", "xe-mat-tile xe-mat-tile_new");
      tile.append(imageOf(source), element("span", "", "保存后加上"));
      return tile;
    };

    const value = (name) => form.elements.namedItem(name)?.value?.trim() ?? "";
    const chosen = (name) => {
      const field = form.elements.namedItem(name);
      return field?.value ? field.selectedOptions?.[0]?.textContent.trim() ?? "" : "";
    };
    const put = (name, text) => preview.querySelectorAll(`[data-mat-${name}]`).forEach((one) => { one.textContent = text; });
    const show = (name, text) => {
      const box = preview.querySelector(`[data-mat-${name}]`);
      box.hidden = !text;
      box.textContent = text;
    };

    const draw = () => {
      const sources = [...pictures.map(({ url }) => url), ...fresh];
      tray.replaceChildren(...pictures.map(tileOf), ...fresh.map(freshTile));
      put("title", value("title") || "标题");
      put("words", value("words").replaceAll("{门店}", "南京东路店").replaceAll("{导购}", "李娜"));
      put("text", value("text"));
      put("brief", value("text").split("\n")[0] || "点开看看");
      preview.querySelector("[data-mat-cover]").replaceChildren(...sources.slice(0, 1).map(imageOf));
      preview.querySelector("[data-mat-pictures]").replaceChildren(...sources.map(imageOf));
      show("batch", chosen("batch"));
      show("link", value("link_url") ? value("link_label") || "看详情" : "");
    };
    form.addEventListener("input", draw);
    form.addEventListener("change", (event) => {
      if (event.target === uploads) {
        fresh.forEach((source) => URL.revokeObjectURL(source));
        fresh = [...uploads.files].map((file) => URL.createObjectURL(file));
      }
      draw();
    });
    window.jQuery?.("#id_batch").on("change", draw);
    draw();
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-material-preview]").forEach(start));
})();
