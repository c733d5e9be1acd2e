// Text messages that arrived on the chosen person's phone.
import { $, clockText, h } from "/static/dom.js";
import { on, person, state } from "/static/store.js";

const SHOWN = 5;

function draw() {
  const one = person();
  const hers = one ? state.texts.filter((text) => text.phone === one.phone).sort((a, b) => b.at - a.at) : [];
  $("#texts").replaceChildren(...(hers.length ? [
    h("h2", {}, `${one.name}的短信`),
    ...hers.slice(0, SHOWN).map((text) => h("p.text", {}, h("time", {}, clockText(text.at, { withSeconds: true })), h("span", {}, text.text))),
  ] : []));
}

export function startTexts() {
  on("texts", draw);
  on("people", draw);
}
