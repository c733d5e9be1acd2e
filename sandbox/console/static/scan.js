// 扫一扫: choose one of the account's codes, paste what a code says, or take a picture of one.
import { $, closeDialog, h, openDialog, spanText, toast } from "/static/dom.js";
import { throughPerson } from "/static/bubbles.js";
import { account, act, ask, choose, now, on, person, state } from "/static/store.js";

const said = {
  followed_by_scan: "扫码关注了",
  scanned: "扫到了",
  expired: "这个码过期了",
  not_a_code: "这不是公众号或小程序的码",
  opened: "小程序打开了",
};

async function scan(content) {
  const text = content.trim();
  if (!text) return;
  const result = await act("scan", { content: text });
  closeDialog();
  if (result.outcome === "web_page") {
    window.open(throughPerson(result.url), "_blank", "noopener");
    toast("码里是一个网页，已在新标签打开");
  } else {
    toast(said[result.outcome] ?? result.outcome);
    if (result.outcome === "opened" && result.app_id !== state.appId) await choose({ appId: result.app_id });
  }
}

function life(code) {
  if (code.is_expired) return "已过期";
  return code.expires_at === null ? "长期有效" : `还有 ${spanText(code.expires_at - now())}`;
}

const pictureOf = (code) =>
  (code.page === null ? `/mp/cgi-bin/showqrcode?${new URLSearchParams({ ticket: code.ticket })}` : `/_/mini-codes/${code.ticket}`);

const kindName = () => (account().kind === "mini_program" ? "小程序" : "公众号");

function tile(code) {
  return h(`button.code${code.is_expired ? ".is-old" : ""}`, { title: code.url, onclick: () => scan(code.url) },
    h("img", { src: pictureOf(code), alt: "", loading: "lazy" }),
    h("b", {}, code.scene), h("small", {}, `${life(code)} · 扫过 ${code.scans} 次`));
}

let asked = 0;
/** Answers may overtake each other: only the one asked for last is shown. */
async function fill(grid, wanted) {
  const mine = ++asked;
  const query = new URLSearchParams({ app_id: state.appId, q: wanted, limit: 60 });
  const { total, codes } = await ask("GET", `/codes?${query}`);
  if (mine !== asked) return;
  grid.replaceChildren(...codes.map(tile));
  if (!total) {
    grid.append(h("p.hint", {}, wanted ? "没有这样的码。" : `这个${kindName()}还没有生成过码。到被测的系统里生成一个，这里马上会出现。`));
  } else if (total > codes.length) {
    grid.append(h("p.hint", {}, `一共 ${total} 个，只列出最新的 ${codes.length} 个，用上面的框来找。`));
  }
}

/** Reading a QR picture needs the browser's own detector; where it is missing the choice is not shown. */
async function readPicture(file) {
  const found = await new window.BarcodeDetector({ formats: ["qr_code"] }).detect(await createImageBitmap(file));
  if (found.length) await scan(found[0].rawValue);
  else toast("图里没有找到二维码");
}

function picturePicker() {
  if (!("BarcodeDetector" in window)) return null;
  return h("label.file", {}, "从图片里扫",
    h("input", { type: "file", accept: "image/*", onchange: (event) => event.target.files[0] && readPicture(event.target.files[0]) }));
}

let refresh = () => {};
on("codes", () => $("#dialog").open && refresh());

export async function openScan(content = "") {
  if (!person() || !account()) return;
  const paste = h("input", { name: "content", value: content, placeholder: "粘贴码里的网址或 ticket", "aria-label": "码的内容", autocomplete: "off" });
  const form = h("form.paste", { onsubmit: (event) => { event.preventDefault(); scan(paste.value); } },
    paste, h("button.go", {}, "扫"), picturePicker());
  const search = h("input", { type: "search", placeholder: "按场景值找", "aria-label": "按场景值找", oninput: () => refresh() });
  const grid = h("div.codes", {});
  refresh = () => fill(grid, search.value.trim());
  openDialog(`${person().name}扫一扫`, form, h("div.or", {}, h("span", {}, `或者点一个这个${kindName()}的码`), search), grid);
  await refresh();
  paste.focus();
}
