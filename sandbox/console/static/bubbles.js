// What WeChat draws for each kind of message.
import { h } from "/static/dom.js";
import { act, choose, state } from "/static/store.js";

export const throughPerson = (url) => `/open-page?${new URLSearchParams({ person: state.personId, url })}`;

const isWeb = (url) => /^https?:\/\//.test(url ?? "");

function link(text, url) {
  return isWeb(url)
    ? h("a", { href: throughPerson(url), target: "_blank", rel: "noopener" }, text)
    : h("span.fake-link", {}, text);
}

const FROM_TEXT = 1082; // WeChat's number for "a link in a text of an official account"

/** A link in a text: to a mini-program when it names one (official page: customer-service messages), else to a page. */
function anchor(words, attributes) {
  const read = (name) => new RegExp(`${name}\\s*=\\s*["']([^"']*)["']`, "i").exec(attributes)?.[1];
  const [appId, page] = [read("data-miniprogram-appid"), read("data-miniprogram-path")];
  if (!appId || !page) return link(words, read("href"));
  const isHere = state.accounts.some((one) => one.app_id === appId && one.kind === "mini_program");
  if (!isHere) return link(words, read("href"));
  const open = async () => {
    await act("mini/open", { app_id: appId, page, scene: FROM_TEXT });
    await choose({ appId });
  };
  return h("button.text-link", { title: page, onclick: open }, words);
}

/** Text may hold links written as <a href="…">…</a>; everything else is shown as it is. */
function rich(text) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(/<a\s([^>]*)>([\s\S]*?)<\/a>|https?:\/\/[^\s<>"，。；、）]+/gi)) {
    parts.push(text.slice(last, match.index));
    if (match[2] === undefined) parts.push(link(match[0], match[0]));
    else parts.push(anchor(match[2], match[1]));
    last = match.index + match[0].length;
  }
  return [...parts, text.slice(last)];
}

function article(one) {
  const inside = [
    one.picurl && h("img", { src: one.picurl, alt: "", loading: "lazy", onerror: (event) => event.target.remove() }),
    h("b", {}, one.title || "（没有标题）"),
    one.description && h("p", {}, one.description),
  ];
  return isWeb(one.url)
    ? h("a.article", { href: throughPerson(one.url), target: "_blank", rel: "noopener" }, ...inside)
    : h("div.article", {}, ...inside);
}

const FROM_NOTICE = 1014; // … "a subscribe message"
const FROM_TEMPLATE = 1043; // … "a template message of an official account"
const FROM_CARD = 1074; // WeChat's number for "a card sent by an official account"

function miniProgram(card) {
  const isHere = state.accounts.some((one) => one.app_id === card.appid && one.kind === "mini_program");
  const open = async () => {
    await act("mini/open", { app_id: card.appid, page: card.pagepath, scene: FROM_CARD });
    await choose({ appId: card.appid });
  };
  return h(isHere ? "button.mini" : "div.mini", { title: card.pagepath, onclick: isHere ? open : undefined },
    h("small", {}, h("i.mini-mark", {}), card.app_name),
    h("b", {}, card.title),
    card.thumb_url && h("img", { src: card.thumb_url, alt: "" }),
    h("small.foot", {}, "小程序"));
}

function choices(bubble) {
  return h("div.bubble.menu", {},
    bubble.text && h("p", {}, bubble.text),
    ...bubble.choices.map((choice) =>
      h("button", { onclick: () => act("write", { text: choice.content, menu_item: choice.id }) }, choice.content)),
    bubble.tail && h("p", {}, bubble.tail));
}

/** A template or subscribe message, as the phone's service notices show it. */
function noticeCard(bubble) {
  const { title, lines, opens, opens_in: appId } = bubble.notice;
  const rows = lines.map(([label, value]) => h("div.notice-line", {}, h("span", {}, label), h("b", {}, value)));
  const foot = opens && h("small.foot", { title: opens }, appId ? "进入小程序查看" : "查看详情");
  const inside = [h("b", {}, title), ...rows, foot];
  if (isWeb(opens)) return h("a.notice-card", { href: throughPerson(opens), target: "_blank", rel: "noopener" }, ...inside);
  const isHere = opens && state.accounts.some((one) => one.app_id === appId && one.kind === "mini_program");
  if (!isHere) return h("div.notice-card", {}, ...inside);
  const open = async () => {
    await act("mini/open", { app_id: appId, page: opens, scene: bubble.via === "subscription" ? FROM_NOTICE : FROM_TEMPLATE });
    if (appId !== state.appId) await choose({ appId });
  };
  return h("button.notice-card", { onclick: open }, ...inside);
}

const fallback = { voice: "语音", video: "视频", music: "音乐", mpnews: "图文" };

function body(bubble) {
  if (bubble.kind === "text") return h("div.bubble", {}, ...rich(bubble.text));
  if (bubble.kind === "news") return h("div.articles", {}, ...bubble.articles.map(article));
  if (bubble.kind === "miniprogrampage") return miniProgram(bubble.card);
  if (bubble.kind === "notice_card") return noticeCard(bubble);
  if (bubble.kind === "msgmenu") return choices(bubble);
  if (bubble.kind === "image") return h("img.picture", { src: bubble.url, alt: "图片" });
  if (bubble.kind === "voice") return h("audio", { src: bubble.url, controls: true });
  if (bubble.kind === "video") return h("video.picture", { src: bubble.url, controls: true });
  return h("div.bubble", {}, `［${fallback[bubble.kind] ?? bubble.kind}］${bubble.text ?? ""}`);
}

const how = {
  passive: "被动回复", cs: "客服消息", template: "模板消息", subscription: "订阅消息", mass: "群发", mass_preview: "群发预览",
};

export function drawBubble(bubble, { face, isNew }) {
  const fresh = isNew ? ".is-new" : "";
  if (bubble.side === "system") return h(`p.notice${fresh}`, {}, bubble.text);
  const side = bubble.side === "member" ? "mine" : "theirs";
  return h(`div.line.${side}${fresh}`, {}, face,
    h("div.said", {}, body(bubble), how[bubble.via] && h("small.via", {}, how[bubble.via])));
}
