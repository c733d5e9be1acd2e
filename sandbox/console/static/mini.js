// A mini-program on the phone: how it was opened, and the codes it would send to its server.
import { $, clockText, copy, h, spanText, toast } from "/static/dom.js";
import { account, act, now, on, person, state } from "/static/store.js";
import { openScan } from "/static/scan.js";
import { openPopUp, openSettings } from "/static/templates.js";

const WAYS = { 1001: "从小程序列表打开", 1014: "点订阅消息打开", 1043: "点公众号的模板消息打开", 1047: "扫小程序码打开", 1074: "点公众号发来的卡片打开" };
// Codes are told to who asked for them only, so they live on this page and nowhere else.
const given = new Map();

// Her inbox as the mini-program's server told it last; it is asked when she opens it, and for the count once she is known there.
const letters = new Map();
const openInboxes = new Set();
let counted = "";

const slot = () => `${state.personId}/${state.appId}`;
const openingOf = (mini) => `${slot()}/${mini.opening.at}`;
export const openMini = () => act("mini/open");

async function ask(name) {
  const key = slot();
  const answer = await act(`mini/${name}`);
  given.set(key, { ...given.get(key), [name]: { ...answer, at: now() } });
  drawMini();
}

async function browse() {
  const { sent, answer } = await act("mini/browse");
  toast(`看了几件商品，上报 ${sent} 条，记下 ${answer.kept_count} 条${answer.declined_count ? "（她没有同意个性化推荐）" : ""}`);
}

async function lookIntoInbox(body = {}) {
  const key = slot();
  letters.set(key, await act("mini/inbox", body));
  drawMini();
}

async function openInbox() {
  counted = openingOf(state.mini); // logging in on the way there must not ask a second time
  openInboxes.add(slot());
  await lookIntoInbox();
}

function closeInbox() {
  openInboxes.delete(slot());
  drawMini();
}

async function readLetter(letter) {
  if (!letter.is_read) await lookIntoInbox({ read: letter.id });
  if (letter.page) await act("mini/open", { page: letter.page });
}

/** How many wait is asked once for each opening, of who has logged in before. */
function countLetters(mini) {
  if (!account().api_url || !mini.logged_in_at || counted === openingOf(mini)) return;
  counted = openingOf(mini);
  lookIntoInbox().catch(() => {});
}

function letterRow(letter) {
  return h(`button.letter${letter.is_read ? ".is-read" : ""}`, { onclick: () => readLetter(letter), title: letter.page ? `打开 ${letter.page}` : "标为已读" },
    h("span", {}, h("b", {}, letter.title), h("small", {}, minute(letter.sent_at))),
    h("span.letter-text", {}, letter.text));
}

function inbox(kept) {
  if (!kept || !openInboxes.has(slot())) return null;
  const rows = kept.messages.length ? kept.messages.map(letterRow) : [h("p", {}, "还没有站内信。别的通道都发不到她时，消息会到这里。")];
  return h("section.letters", { "aria-label": "站内信" },
    h("div.letters-head", {}, h("b", {}, "站内信"), h("small", {}, kept.unread_count ? `${kept.unread_count} 条未读` : "都读过了"),
      kept.unread_count > 0 && h("button.link", { onclick: () => lookIntoInbox({ read_mark: kept.read_mark }) }, "全部已读"),
      h("button.link", { onclick: closeInbox }, "收起")),
    ...rows);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fact(name, value, title) {
  return h("div.mini-fact", {}, h("span", {}, name), h("b", { title: title ?? value }, value));
}

function facts(opening) {
  const query = Object.entries(opening.query).map(([name, value]) => fact(name, decoded(value), `页面收到的是 ${value}`));
  return h("div.mini-facts", {},
    fact("页面", opening.page), ...query,
    fact("怎么打开的", `${WAYS[opening.scene] ?? "打开"}，${clockText(opening.at, { withSeconds: true })}`));
}

function lifeOf(code, usedAt) {
  if (usedAt && usedAt >= code.at) return "已经用掉了，要用就再点一次";
  const left = code.at + code.expires_in - now();
  return left > 0 ? `还能用 ${spanText(left)}，只能用一次` : "过期了，要用就再点一次";
}

function copyRow(name, value) {
  return h("div.mini-code", {}, h("span", {}, name),
    h("code", { title: value }, value), h("button.plain", { "aria-label": `复制${name}`, onclick: () => copy(value) }, "复制"));
}

function ticket(name, code, usedAt) {
  if (!code) return null;
  const line = h("small.mini-life", {}, lifeOf(code, usedAt));
  const isDead = (usedAt && usedAt >= code.at) || code.at + code.expires_in <= now();
  return h(`div.mini-ticket${isDead ? ".is-old" : ""}`, {}, copyRow(name, code.code), line,
    code.encryptedData && h("details", { open: Boolean($("#phone .mini-ticket details[open]")) },
      h("summary", {}, "旧方式的加密数据"),
      copyRow("encryptedData", code.encryptedData), copyRow("iv", code.iv)));
}

function consents(mini) {
  const left = Object.values(mini.consents ?? {}).reduce((sum, count) => sum + count, 0);
  if (!Object.keys(mini.consents ?? {}).length && !Object.keys(mini.always ?? {}).length) return null;
  return h("p.mini-state", {}, `还能收到 ${left} 条订阅消息 `, h("button.link", { onclick: openSettings }, "在设置里管理"));
}

function closed() {
  return [h("p", {}, `${person().name}还没有打开过这个小程序。`),
    h("div.mini-deeds", {}, h("button.go", { onclick: openMini }, "打开小程序"), h("button", { onclick: () => openScan() }, "扫小程序码"))];
}

const minute = (moment) => moment.slice(0, 16).replace("T", " ");

/** What the page of a campaign shows: its words and her coupon, or why there is nothing. */
function campaign(shown) {
  if (!shown) return null;
  if (shown.refused) return h("article.mini-page", {}, h("p", {}, shown.refused));
  const { coupon } = shown;
  return h("article.mini-page", {},
    h("b", {}, shown.title), h("p", {}, shown.text),
    coupon && h(`div.mini-coupon${coupon.state === "issued" ? "" : ".is-old"}`, {},
      h("b", {}, coupon.title), h("span", {}, coupon.state_label), h("small", {}, coupon.value_words),
      coupon.valid_until && h("small", {}, `${minute(coupon.valid_until)} 前有效`)),
    shown.ends_at && h("small", {}, `${shown.name}，${minute(shown.ends_at)} 截止`));
}

function opened(mini) {
  const codes = given.get(slot()) ?? {};
  const kept = letters.get(slot());
  countLetters(mini);
  return [
    campaign(mini.opening.campaign),
    inbox(kept),
    facts(mini.opening),
    h("div.mini-deeds", {},
      h("button.go", { onclick: () => ask("login") }, "登录"),
      h("button", { onclick: () => ask("phone") }, "手机号授权"),
      h("button", { onclick: openPopUp }, "订阅消息"),
      h("button", { onclick: browse }, "逛一逛"),
      account().api_url && h("button", { onclick: openInbox }, "站内信",
        kept?.unread_count > 0 && h("span.count", { "aria-label": `${kept.unread_count} 条未读` }, String(kept.unread_count)))),
    consents(mini),
    h("p.mini-state", {}, mini.logged_in_at ? `系统在 ${clockText(mini.logged_in_at, { withSeconds: true })} 用登录码认出了${person().name}` : "点“登录”拿一个码，交给系统，它就认出人来"),
    ticket("登录码", codes.login, mini.logged_in_at),
    ticket("手机号授权码", codes.phone, mini.phone_shared_at),
  ];
}

/** Redraw the card in place; the chat below and what is being typed stay. */
export function drawMini() {
  const box = $("#phone .mini-app");
  if (!box || account()?.kind !== "mini_program" || !person()) return;
  const mini = state.mini ?? {};
  const held = box.contains(document.activeElement) ? [...box.querySelectorAll("button, summary")].indexOf(document.activeElement) : -1;
  box.replaceChildren(...(mini.opening ? opened(mini) : closed()).filter(Boolean));
  if (held >= 0) box.querySelectorAll("button, summary")[held]?.focus();
}

export function startMini() {
  on("mini", drawMini);
  on("clock", drawMini);
  setInterval(() => {
    if (given.has(slot()) && !String(getSelection())) drawMini();
  }, 5000);
}
