// The reply desk: fields that a kind of message needs, the phone beside the form, links in texts, the tester's fields.
(() => {
  "use strict";

  const TEXT_BYTES = 2048;
  const FIELDS = {
    text: ["text"],
    image: ["picture"],
    article: ["title", "description", "url", "picture_url"],
    mini_program_card: ["title", "card_app_id", "card_page", "picture"],
  };
  const ALL = [...new Set(Object.values(FIELDS).flat()), "target"];
  const LINK = /<a\s([^<>]*)>([^<>]*)<\/a>/gi;

  const element = (tag, className, ...children) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== undefined && child !== null));
    return made;
  };

  const value = (form, name) => {
    const field = form.elements.namedItem(name);
    return field ? field.value || "" : "";
  };

  /** Text with its links as WeChat shows them; everything else stays as it was typed. */
  const rich = (text) => {
    const parts = [];
    let last = 0;
    for (const match of text.matchAll(LINK)) {
      parts.push(text.slice(last, match.index));
      const shown = element("span", "xe-link", match[2]);
      shown.title = /data-miniprogram-path\s*=\s*["']([^"']*)/i.exec(match[1])?.[1] ?? /href\s*=\s*["']([^"']*)/i.exec(match[1])?.[1] ?? "";
      parts.push(shown);
      last = match.index + match[0].length;
    }
    return [...parts, text.slice(last)];
  };

  const brought = () => JSON.parse(document.getElementById("brought-kinds")?.textContent || "{}");

  const picture = (source, className = "") => {
    if (!source) return element("div", `xe-noimage ${className}`, "图片");
    const image = element("img", className);
    image.referrerPolicy = "no-referrer";
    image.alt = "";
    image.src = source;
    return image;
  };

  const uploaded = (part) => {
    const input = part.querySelector("input[type=file]");
    const file = input && input.files && input.files[0];
    if (file) return URL.createObjectURL(file);
    return part.querySelector(".field-picture a[href]")?.href;
  };

  const bubbleOf = (form, part, prefix, kinds) => {
    const read = (name) => value(form, `${prefix}-${name}`);
    const kind = read("kind");
    if (kinds[kind]) return element("div", "xe-bubble", kinds[kind].texts[read("target")] ?? kinds[kind].title);
    if (kind === "text") return element("div", "xe-bubble", ...rich(read("text") || "（还没有文字）"));
    if (kind === "image") return picture(uploaded(part), "xe-picture");
    const words = element("div", "", element("b", "", read("title") || "（还没有标题）"));
    if (kind === "article") {
      if (read("description")) words.append(element("small", "", read("description")));
      return element("div", "xe-article", picture(read("picture_url")), words);
    }
    const foot = element("div", "", element("small", "", `小程序 · ${read("card_page") || "页面"}`));
    return element("div", "xe-mini", words, picture(uploaded(part)), foot);
  };

  const SAYS = {
    message: (form) => {
      const chosen = form.querySelector("[name=message_kind]:checked");
      return `［${chosen?.closest("label")?.textContent.trim() || "图片、语音等"}］`;
    },
    keyword: (form) => value(form, "keyword") || "关键词",
    after_hours: () => "（下班以后发来的消息）",
    default: () => "（别的消息）",
  };
  const DOES = {
    follow: (form) => (value(form, "channel_code") ? "她扫指定的码关注了公众号" : "她关注了公众号"),
    scan: (form) => (value(form, "channel_code") ? "她已关注，又扫了指定的码" : "她已关注，又扫了一个码"),
    click: () => "她点了菜单",
  };

  const partsOf = (form) =>
    [...form.querySelectorAll("select[name^='parts-'][name$='-kind']")]
      .filter((select) => !select.name.includes("__prefix__"))
      .map((select) => {
        const prefix = select.name.slice(0, -"-kind".length);
        return { prefix, box: select.closest(".inline-related") ?? select.closest("fieldset"), kind: select.value };
      })
      .filter(({ prefix }) => !form.elements.namedItem(`${prefix}-DELETE`)?.checked);

  const showFields = (box, kind, kinds) => {
    const wanted = kinds[kind] ? (kinds[kind].names ? ["target"] : []) : FIELDS[kind] ?? [];
    for (const name of ALL) {
      for (const field of box.querySelectorAll(`.field-${name}`)) field.hidden = !wanted.includes(name);
    }
  };

  const insertLink = (area, made) => {
    const chosen = area.value.slice(area.selectionStart, area.selectionEnd) || "点这里";
    area.setRangeText(made.replace("%s", chosen), area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };

  const addLinkButtons = (box) => {
    const area = box.querySelector("textarea[name$='-text']");
    if (!area || box.querySelector(".xe-links")) return;
    const web = element("button", "xe-link-button", "插入网页链接");
    const mini = element("button", "xe-link-button", "插入小程序链接");
    web.type = mini.type = "button";
    web.addEventListener("click", () => insertLink(area, '<a href="https://">%s</a>'));
    mini.addEventListener("click", () =>
      insertLink(area, '<a data-miniprogram-appid="wx" data-miniprogram-path="pages/index/index" href="https://">%s</a>'));
    area.after(element("div", "xe-links", web, mini));
  };

  const startPreview = (preview) => {
    const form = document.getElementById("replyrule_form");
    if (!form) return;
    const kinds = brought();
    const draw = () => {
      const trigger = value(form, "trigger");
      const shown = [];
      if (SAYS[trigger]) shown.push(element("div", "xe-bubble xe-bubble-mine", SAYS[trigger](form)));
      const parts = partsOf(form);
      for (const { prefix, box, kind } of parts) {
        showFields(box, kind, kinds);
        addLinkButtons(box);
        shown.push(bubbleOf(form, box, prefix, kinds));
      }
      preview.querySelector("[data-preview-occasion]").textContent = DOES[trigger]?.(form) ?? "";
      preview.querySelector("[data-preview-reply]").replaceChildren(...shown);
      const longest = Math.max(0, ...parts.filter(({ kind }) => kind === "text")
        .map(({ prefix }) => new TextEncoder().encode(value(form, `${prefix}-text`)).length));
      const bytes = preview.querySelector("[data-preview-bytes]");
      bytes.textContent = longest ? `${longest} / ${TEXT_BYTES} 字节` : "";
      bytes.classList.toggle("xe-over", longest > TEXT_BYTES);
    };
    form.addEventListener("input", draw);
    form.addEventListener("change", draw);
    document.addEventListener("formset:added", draw);
    document.addEventListener("formset:removed", draw);
    draw();
  };

  const WANTED = { text: "text", message: "message_kind", scan: "scene", rescan: "scene", click: "menu_key" };

  const startTester = (form) => {
    const draw = () => {
      const situation = value(form, "situation");
      for (const name of new Set(Object.values(WANTED))) {
        const box = form.querySelector(`[data-field="${name}"]`);
        if (box) box.hidden = WANTED[situation] !== name;
      }
    };
    form.addEventListener("change", draw);
    draw();
  };

  // The texts of other pages take links as well.
  const startLinks = (area) => {
    const web = element("button", "xe-link-button", "插入网页链接");
    web.type = "button";
    web.addEventListener("click", () => insertLink(area, '<a href="https://">%s</a>'));
    area.after(element("div", "xe-links", web));
  };

  // Other pages' bubbles ask for their links when their text changes.
  document.addEventListener("xe:rich", ({ target }) => target.replaceChildren(...rich(target.textContent)));

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-reply-preview]").forEach(startPreview);
    document.querySelectorAll("form[data-tester]").forEach(startTester);
    document.querySelectorAll("form[data-mass] textarea[name=text]").forEach(startLinks);
    document.querySelectorAll("[data-rich]").forEach((bubble) => bubble.replaceChildren(...rich(bubble.textContent)));
  });
})();
