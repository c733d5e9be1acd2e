// 打开网页: a page in a new tab, where the authorization page will offer the chosen person first.
import { closeDialog, h, openDialog } from "/static/dom.js";
import { throughPerson } from "/static/bubbles.js";
import { person } from "/static/store.js";

const KEY = "recent-pages";
const recent = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");

function open(text) {
  const url = /^https?:\/\//.test(text) ? text : `http://${text}`;
  localStorage.setItem(KEY, JSON.stringify([url, ...recent().filter((one) => one !== url)].slice(0, 6)));
  window.open(throughPerson(url), "_blank", "noopener");
  closeDialog();
}

export function openWeb() {
  const input = h("input", { name: "url", placeholder: "网址，比如 http://127.0.0.1:8000/", "aria-label": "网址", autocomplete: "off" });
  const form = h("form.paste", { onsubmit: (event) => { event.preventDefault(); if (input.value.trim()) open(input.value.trim()); } },
    input, h("button.go", {}, "打开"));
  const list = recent().map((url) => h("button.plain.recent", { onclick: () => open(url) }, url));
  openDialog(`用${person().name}的微信打开网页`, form,
    h("p.hint", {}, "网页要登录时，授权页会先给出她，点一下就好。"), ...list);
  input.focus();
}
