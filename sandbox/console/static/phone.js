// Middle: the phone of the chosen person, with the account's chat as WeChat shows it.
import { $, avatar, clockText, dayText, h, toast } from "/static/dom.js";
import { drawBubble, throughPerson } from "/static/bubbles.js";
import { drawMini, openMini } from "/static/mini.js";
import { addPerson } from "/static/people.js";
import { openScan } from "/static/scan.js";
import { openWeb } from "/static/web.js";
import { account, act, choose, now, on, person, state, tie } from "/static/store.js";

const GAP_S = 300;
let newest = 0;
let screenOf = "";

const accountFace = (one) => h("div.face", { "aria-hidden": "true" }, one.name.slice(0, 1));
const isMini = () => account()?.kind === "mini_program";
const isReachable = () => tie().subscribe || isMini();

export const follow = () => act("follow");

async function unfollow() {
  if (!confirm(`让${person().name}取消关注「${account().name}」？`)) return;
  await act("unfollow");
}

async function block() {
  const isBlocked = tie().blocked;
  await act("block", { on: !isBlocked });
  toast(isBlocked ? "又能收到消息了" : "已拒收这个公众号的消息");
}

function deeds() {
  const one = person();
  if (!one || !account()) return [];
  const isOfficial = account().kind === "official";
  return [
    h("button.go", { onclick: () => openScan() }, "扫一扫"),
    isOfficial && (tie().subscribe
      ? h("button", { onclick: unfollow }, "取消关注")
      : h("button", { onclick: follow }, "关注")),
    isMini() && h("button", { onclick: openMini }, "打开小程序"),
    h("button", { onclick: openWeb }, "打开网页"),
    isOfficial && tie().subscribe && h("button", { onclick: block }, tie().blocked ? "恢复接收" : "拒收消息"),
  ];
}

function welcome() {
  const starter = (name) => h("button.go", { onclick: () => addPerson(name) }, name);
  return h("div.empty", {},
    h("img.big", { src: "/static/icon.svg", alt: "", width: 72, height: 72 }),
    h("h2", {}, "先来一位顾客"),
    h("p", {}, "您扮演她：扫导购的码、关注、说话，看她手机上会收到什么。"),
    h("div.starters", {}, starter("小美"), starter("小丽"), starter("李先生")),
    h("p.small", {}, "想叫别的名字，就写在左上角。"));
}

function noAccount() {
  return h("div.empty", {},
    h("img.big", { src: "/static/icon.svg", alt: "", width: 72, height: 72 }),
    h("h2", {}, "还没有公众号"),
    h("p", {}, "被测的系统启动后会自己登记上来，这里随即就能用。"),
    h("p.small", {}, "也可以用接口登记：PUT /_/accounts/{app_id}"));
}

function profile(one) {
  return h("div.profile", {},
    accountFace(one), h("h2", {}, one.name), h("p", {}, "还没有关注，收不到它的消息。"),
    h("button.go", { onclick: follow }, "关注公众号"),
    h("button", { onclick: () => openScan() }, "扫导购的码来关注"));
}

function miniProfile(one) {
  return h("div.profile", {},
    accountFace(one), h("h2", {}, one.name), h("p", {}, `${person().name}还没有打开过这个小程序。`),
    h("button.go", { onclick: openMini }, "打开小程序"),
    h("button", { onclick: () => openScan() }, "扫小程序码"));
}

async function say(event) {
  event.preventDefault();
  const input = event.target.elements.text;
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  try {
    await act("write", { text });
  } catch {
    input.value = text;
  }
}

async function tapped(path, button) {
  const more = {};
  if (button.type?.startsWith("scancode_")) {
    const scanned = prompt("她扫到了什么？", "https://example.com/scanned");
    if (!scanned) return;
    more.scan_result = scanned;
  }
  const result = await act("tap-button", { path, ...more });
  if (result.outcome === "web_page") window.open(throughPerson(result.url), "_blank", "noopener");
  if (result.outcome !== "mini_program") return;
  if (state.accounts.some((one) => one.app_id === result.mini_app_id)) {
    await choose({ appId: result.mini_app_id });
    await act("mini/open", { page: result.page });
  } else {
    toast(`小程序 ${result.mini_app_id} 没有登记在模拟器里`);
  }
}

function menuBar(buttons) {
  return h("div.menu-bar", {}, ...buttons.map((button, column) => {
    if (!button.sub_button?.length) return h("button", { onclick: () => tapped([column], button) }, button.name);
    const items = button.sub_button.map((item, row) => h("button", { onclick: () => tapped([column, row], item) }, item.name));
    return h("details", { name: "menu" }, h("summary", {}, button.name), h("div.sub", {}, ...items));
  }));
}

function composer() {
  return h("form.composer", { onsubmit: say },
    h("input", { name: "text", placeholder: `以${person().name}的口吻说句话`, "aria-label": "说句话", autocomplete: "off", maxlength: 600 }),
    h("button.go", {}, "发送"));
}

function bubbles() {
  const faces = { member: () => avatar(person(), 38), account: () => accountFace(account()) };
  const lines = [];
  let last = 0;
  for (const bubble of state.chat) {
    if (bubble.at - last > GAP_S || bubble.at < last) lines.push(h("p.time", {}, timeLine(bubble.at)));
    last = bubble.at;
    lines.push(drawBubble(bubble, { face: faces[bubble.side]?.(), isNew: bubble.id > newest }));
  }
  if (state.typingUntil > now()) lines.push(h("p.notice", {}, "对方正在输入…"));
  if (!state.chat.length) lines.push(h("p.notice", {}, isMini() ? "下面是小程序里的客服会话，说句话试试。" : "已经关注了，说句话试试。"));
  return lines;
}

const timeLine = (at) => (dayText(at) === dayText(now()) ? clockText(at) : `${dayText(at)} ${clockText(at)}`);

function drawChat() {
  const chat = $("#phone .chat");
  if (!chat) return;
  chat.replaceChildren(...bubbles());
  newest = state.chat.at(-1)?.id ?? newest;
  chat.scrollTop = chat.scrollHeight;
  for (const picture of chat.querySelectorAll("img")) {
    picture.addEventListener("load", () => { chat.scrollTop = chat.scrollHeight; }, { once: true });
  }
}

function screen() {
  const [one, who] = [account(), person()];
  if (!one) return [noAccount()];
  if (!who) return [welcome()];
  const title = h("div.title", {}, h("b", {}, one.name), isMini() && h("span.tag", {}, "小程序"),
    tie().blocked && h("span.tag.warn", {}, "已拒收"));
  if (!isReachable() && !state.chat.length) return [title, profile(one)];
  if (isMini() && !state.mini?.opening && !state.chat.length) return [title, miniProfile(one)];
  const foot = isReachable()
    ? [composer(), state.menu.length ? menuBar(state.menu) : null]
    : [h("div.refollow", {}, h("span", {}, "已经取消关注"), h("button.go", { onclick: follow }, "重新关注"))];
  return [title, isMini() && h("div.mini-app", {}), h("div.chat", { "aria-live": "polite" }), ...foot];
}

/** Redraw the frame only when it is another screen, so that what is being typed stays. */
function draw() {
  const signature = JSON.stringify([
    state.personId, person()?.name, state.appId, account()?.name, account()?.kind, state.menu, tie(), isReachable(), state.chat.length > 0, Boolean(state.mini?.opening),
  ]);
  $("#deeds").replaceChildren(...deeds().filter(Boolean));
  if (signature !== screenOf) {
    screenOf = signature;
    const hadFocus = $("#phone").contains(document.activeElement);
    newest = state.chat.at(-1)?.id ?? 0;
    const status = h("div.status", {}, h("span.clock", {}, clockText(now())), h("span.who", {}, person() ? `${person().name}的手机` : ""));
    $("#phone").replaceChildren(status, ...screen().filter(Boolean));
    if (hadFocus) $("#phone .composer input")?.focus();
    drawMini();
  }
  drawChat();
}

export function startPhone() {
  on("people", draw);
  on("account", draw);
  on("chat", draw);
  on("mini", draw);
  setInterval(() => {
    const clock = $("#phone .clock");
    if (clock) clock.textContent = clockText(now());
    if (state.typingUntil && state.typingUntil <= now()) {
      state.typingUntil = 0;
      drawChat();
    }
  }, 1000);
}
