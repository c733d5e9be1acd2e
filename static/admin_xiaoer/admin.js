// Small helpers of the staff admin: copy buttons, keys of queues, the reply preview, the reply tester's fields.
(() => {
  "use strict";

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "已复制";
    } catch {
      button.textContent = "请手动选中复制";
    }
  });

  // One key an answer in queues that are worked off; not while somebody types.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, select, textarea")) return;
    const button = document.querySelector(`[data-keys] [data-key="${CSS.escape(event.key)}"]`);
    if (button) button.click();
  });

  const value = (form, name) => {
    const field = form.elements.namedItem(name);
    return field ? field.value || "" : "";
  };

  const occasionOf = (form) => {
    const trigger = value(form, "trigger");
    if (trigger === "follow") return value(form, "channel_code") ? "她扫指定的码关注了公众号" : "她关注了公众号";
    if (trigger === "keyword") return "";
    return "她发来别的消息";
  };

  const picture = (source) => {
    if (!source) return element("div", "xe-noimage", "封面图");
    const image = element("img");
    image.referrerPolicy = "no-referrer";
    image.alt = "";
    image.src = source;
    return image;
  };

  const replyOf = (form) => {
    const kind = value(form, "kind") || "text";
    if (kind === "text") return element("div", "xe-bubble", value(form, "text") || "（还没有文字）");
    const card = element("div", kind === "article" ? "xe-article" : "xe-mini");
    const words = element("div");
    words.append(element("b", "", value(form, "title") || "（还没有标题）"));
    if (kind === "article") {
      if (value(form, "description")) words.append(element("small", "", value(form, "description")));
      card.append(picture(value(form, "picture_url")), words);
      return card;
    }
    const input = form.elements.namedItem("card_thumb");
    const file = input && input.files && input.files[0];
    const stored = document.querySelector(".field-card_thumb a[href*='/media/']");
    const foot = element("div");
    foot.append(element("small", "", "小程序 · " + (value(form, "card_page") || "页面")));
    card.append(words, picture(file ? URL.createObjectURL(file) : stored && stored.href), foot);
    return card;
  };

  const startPreview = (preview) => {
    const form = document.getElementById("replyrule_form");
    if (!form) return;
    const draw = () => {
      const occasion = preview.querySelector("[data-preview-occasion]");
      const reply = preview.querySelector("[data-preview-reply]");
      const bytes = preview.querySelector("[data-preview-bytes]");
      occasion.textContent = occasionOf(form);
      const shown = [];
      if (value(form, "trigger") === "keyword") {
        const mine = element("div", "xe-bubble xe-bubble-mine", value(form, "keyword") || "关键词");
        mine.style.marginLeft = "auto";
        mine.style.width = "fit-content";
        mine.style.marginBottom = "14px";
        shown.push(mine);
      }
      shown.push(replyOf(form));
      reply.replaceChildren(...shown);
      const size = new TextEncoder().encode(value(form, "text")).length;
      bytes.textContent = value(form, "kind") === "text" || !value(form, "kind") ? size + " / 2048 字节" : "";
      bytes.style.color = size > 2048 ? "#dc2626" : "";
    };
    form.addEventListener("input", draw);
    form.addEventListener("change", draw);
    draw();
  };

  const startTester = (form) => {
    const draw = () => {
      const situation = value(form, "situation");
      for (const [name, wanted] of [["scene", "scan"], ["text", "text"]]) {
        const box = form.querySelector(`[data-field="${name}"]`);
        if (box) box.hidden = situation !== wanted;
      }
    };
    form.addEventListener("change", draw);
    draw();
  };

  // A number that may be seen for a moment: gone when the time is up or the page is left.
  const startHiding = (card) => {
    const until = Date.now() + Number(card.dataset.hideAfter) * 1000;
    const secret = card.querySelector("[data-secret]");
    const hide = () => {
      clearInterval(timer);
      secret.textContent = "—";
      card.querySelector("[data-countdown]").textContent = card.dataset.hiddenText;
    };
    const timer = setInterval(() => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left > 0) card.querySelector("[data-seconds]").textContent = left;
      else hide();
    }, 250);
    window.addEventListener("pagehide", hide);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-hide-after]").forEach(startHiding);
    document.querySelectorAll("[data-reply-preview]").forEach(startPreview);
    document.querySelectorAll("form[data-tester]").forEach(startTester);
  });
})();
