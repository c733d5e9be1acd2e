// Small helpers to build the page without a framework.

export const $ = (selector) => document.querySelector(selector);

/** Build an element: h("button.go", { onclick }, "发送"). Text is always text, never markup. */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const avatar = (person, size = 40) =>
  h("img.avatar", {
    src: `/_/people/${person.id}/avatar.svg?${encodeURIComponent(person.name)}`, alt: "", width: size, height: size,
  });

let toastTimer;
export function toast(text) {
  const box = $("#toast");
  box.textContent = text;
  box.classList.add("is-shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => box.classList.remove("is-shown"), 2600);
}

export function openDialog(title, ...content) {
  const dialog = $("#dialog");
  const close = h("button.close", { "aria-label": "关闭", onclick: () => dialog.close() }, "×");
  dialog.replaceChildren(h("header", {}, h("h2", {}, title), close), ...content);
  if (!dialog.open) dialog.showModal();
  return dialog;
}

export const closeDialog = () => $("#dialog").close();

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("已复制");
  } catch {
    toast("浏览器不让复制，请手动选中");
  }
}

const two = (number) => String(number).padStart(2, "0");

export function clockText(seconds, { withSeconds = false } = {}) {
  const date = new Date(seconds * 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ""}`;
}

export function dayText(seconds) {
  const date = new Date(seconds * 1000);
  return `${date.getFullYear()}年${date.getMonth() + 1}月${date.getDate()}日`;
}

/** How long something still lasts, as people say it. */
export function spanText(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} 秒`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分钟`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} 小时`;
  return `${Math.floor(seconds / 86400)} 天`;
}
