// The menu desk: the phone is where a button is chosen, the form beside it is where it is changed.
(() => {
  "use strict";

  const element = (tag, options = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), options);
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };
  const bytes = (text) => new TextEncoder().encode(text).length;
  const copy = (value) => JSON.parse(JSON.stringify(value));

  class Desk {
    constructor(root, page) {
      this.root = root;
      this.page = page;
      this.mayEdit = Boolean(page.may_edit);
      this.menus = [{ buttons: copy(page.buttons) }, ...copy(page.conditionals)];
      this.at = 0;
      this.path = this.menu.buttons.length ? [0] : [];
      this.problems = page.problems ?? [];
      if (this.problems.length) this.goTo(this.problems[0]);
    }

    get menu() { return this.menus[this.at]; }

    goTo(problem) {
      this.at = this.menus[problem.menu] ? problem.menu : 0;
      this.path = problem.path.length ? [...problem.path] : this.menu.buttons.length ? [0] : [];
    }

    rowOf(path) { return path.length > 1 ? this.menu.buttons[path[0]].sub_button : this.menu.buttons; }
    get chosen() { return this.path.length ? this.rowOf(this.path)[this.path.at(-1)] : null; }

    problemsAt(path, field) {
      return this.problems.filter((one) => one.menu === this.at && one.path.join() === path.join() && (!field || one.field === field));
    }

    choose(path) { this.path = path; this.draw(); }

    /** The form stays as it is while somebody types in it; only the phone follows. */
    changed() {
      this.drawPhone();
      this.root.dispatchEvent(new Event("input", { bubbles: true }));
    }

    add(path) {
      const fresh = { type: "view", name: "", url: "" };
      if (path.length > 1) {
        const parent = this.menu.buttons[path[0]];
        if (!parent.sub_button) {
          const { name, ...deed } = parent;
          const isEmpty = !Object.entries(deed).some(([key, value]) => key !== "type" && value);
          this.menu.buttons[path[0]] = { name, sub_button: isEmpty ? [] : [{ ...deed, name }] };
          path = [path[0], this.menu.buttons[path[0]].sub_button.length];
        }
      }
      this.rowOf(path).push(fresh);
      this.problems = [];
      this.choose(path);
      this.root.querySelector("[data-menu-form] input")?.focus();
    }

    remove() {
      const row = this.rowOf(this.path);
      row.splice(this.path.at(-1), 1);
      this.problems = [];
      if (this.path.length > 1) {
        if (!row.length) this.menu.buttons[this.path[0]] = { type: "view", name: this.menu.buttons[this.path[0]].name, url: "" };
        return this.choose([this.path[0]]);
      }
      return this.choose(row.length ? [Math.max(0, this.path[0] - 1)] : []);
    }

    move(step) {
      const row = this.rowOf(this.path);
      const from = this.path.at(-1);
      [row[from], row[from + step]] = [row[from + step], row[from]];
      this.problems = [];
      this.choose([...this.path.slice(0, -1), from + step]);
    }

    draw() {
      this.drawTabs();
      this.drawPhone();
      if (!this.mayEdit) return;
      this.drawTag();
      this.drawForm();
    }

    drawTabs() {
      const tabs = this.root.querySelector("[data-menu-tabs]");
      if (!tabs) return;
      const names = this.menus.map((menu, number) => (number ? menu.tag_name || menu.tag_id || `个性化菜单 ${number}` : "默认菜单"));
      const made = names.map((name, number) => {
        const tab = element("button", { type: "button", textContent: name, role: "tab", ariaSelected: String(number === this.at) });
        tab.addEventListener("click", () => {
          this.at = number;
          this.choose(this.menu.buttons.length ? [0] : []);
        });
        return tab;
      });
      if (this.mayEdit && this.menus.length <= this.page.limits.conditionals) {
        const more = element("button", { type: "button", textContent: "＋ 按标签显示的菜单" });
        more.addEventListener("click", () => {
          this.menus.push({ tag_id: "", tag_name: "", buttons: copy(this.menus[0].buttons) });
          this.at = this.menus.length - 1;
          this.problems = [];
          this.choose(this.menu.buttons.length ? [0] : []);
        });
        made.push(more);
      }
      tabs.replaceChildren(...(made.length > 1 || this.mayEdit ? made : []));
    }

    phoneButton(button, path) {
      const isChosen = this.path.join() === path.join();
      const isWrong = this.problemsAt(path).length > 0;
      const made = element("button", {
        type: "button",
        textContent: (button.sub_button ? "≡ " : "") + (button.name || "（没有名称）"),
        className: [isChosen && "xe-menu-chosen", isWrong && "xe-menu-wrong"].filter(Boolean).join(" "),
      });
      made.addEventListener("click", () => this.choose(path));
      return made;
    }

    plus(path, label) {
      const made = element("button", { type: "button", textContent: "＋", className: "xe-menu-add", ariaLabel: label });
      made.addEventListener("click", () => this.add(path));
      return made;
    }

    drawPhone() {
      const { buttons } = this.menu;
      const limits = this.page.limits;
      const columns = buttons.map((button, column) => {
        const box = element("div", { className: "xe-menu-column" });
        if (this.path[0] === column && (button.sub_button || this.mayEdit)) {
          const below = button.sub_button ?? [];
          const pop = element("div", { className: "xe-menu-pop" }, ...below.map((item, row) => this.phoneButton(item, [column, row])));
          if (this.mayEdit && below.length < limits.below) pop.append(this.plus([column, below.length], "加一个子菜单"));
          if (pop.children.length) box.append(pop);
        }
        box.append(this.phoneButton(button, [column]));
        return box;
      });
      if (this.mayEdit && buttons.length < limits.columns) {
        columns.push(element("div", { className: "xe-menu-column" }, this.plus([buttons.length], "加一个一级菜单")));
      }
      this.root.querySelector("[data-menu-bar]").replaceChildren(...columns);
      const who = this.at ? `标签「${this.menu.tag_name || this.menu.tag_id || "？"}」的粉丝看到的菜单` : "粉丝看到的菜单";
      this.root.querySelector("[data-menu-tip]").textContent = buttons.length ? who : "没有菜单";
    }

    field(label, input, hint, problems) {
      const box = element("label", { className: "xe-menu-field" }, element("span", { textContent: label }), input);
      if (hint) box.append(hint instanceof Node ? hint : element("small", { textContent: hint }));
      for (const problem of problems) {
        const words = element("small", { className: "xe-menu-error", textContent: problem.message });
        words.dataset.problem = problem.code;
        box.append(words);
      }
      if (problems.length) input.ariaInvalid = "true";
      return box;
    }

    text(target, key, label, { most, hint, problems, listId }) {
      const input = element("input", { value: target[key] ?? "" });
      input.dataset.field = key;
      if (listId) input.setAttribute("list", listId);
      const count = element("small");
      const tell = () => {
        const used = bytes(target[key] ?? "");
        count.textContent = [hint, most ? `${used} / ${most} 字节` : ""].filter(Boolean).join(" · ");
        count.classList.toggle("xe-menu-error", Boolean(most) && used > most);
      };
      input.addEventListener("input", () => {
        target[key] = input.value.trim();
        this.problems = this.problems.filter((one) => !problems.includes(one));
        box.querySelectorAll("[data-problem]").forEach((one) => one.remove());
        input.ariaInvalid = "false";
        tell();
        this.changed();
      });
      tell();
      const box = this.field(label, input, count, problems);
      return box;
    }

    drawTag() {
      const place = this.root.querySelector("[data-menu-tag]");
      if (!this.at) return place.replaceChildren();
      const remove = element("button", { type: "button", textContent: "删除这个个性化菜单" });
      remove.addEventListener("click", () => {
        this.menus.splice(this.at, 1);
        this.at = 0;
        this.problems = [];
        this.choose(this.menu.buttons.length ? [0] : []);
      });
      const forward = element("button", { type: "button", textContent: "优先一位", disabled: this.at === 1 });
      forward.addEventListener("click", () => {
        [this.menus[this.at - 1], this.menus[this.at]] = [this.menus[this.at], this.menus[this.at - 1]];
        this.at -= 1;
        this.problems = [];
        this.draw();
      });
      const tag = this.text(this.menu, "tag_id", "微信粉丝标签的编号", {
        hint: "有这个标签的粉丝看到这个菜单；有几个标签时，排在前面的菜单先用",
        problems: this.problemsAt([], "tag_id"),
        listId: "menu-follower-tags",
      });
      tag.append(element("datalist", { id: "menu-follower-tags" }, ...this.page.tags.map((one) => element("option", { value: one.id, label: one.name }))));
      const name = this.text(this.menu, "tag_name", "标签名称", { hint: "给同事看的", problems: [] });
      // While she types, not when she leaves the field: a redraw then would take the button from under her pointer.
      tag.querySelector("input").addEventListener("input", () => {
        const known = this.page.tags.find((one) => one.id === this.menu.tag_id);
        if (known) name.querySelector("input").value = this.menu.tag_name = known.name;
        this.drawTabs();
        this.drawPhone();
      });
      name.querySelector("input").addEventListener("input", () => this.drawTabs());
      return place.replaceChildren(
        tag,
        name,
        element("div", { className: "xe-menu-moves" }, forward, remove));
    }

    kindField(button) {
      const select = element("select", {}, ...this.page.kinds.map((kind) => element("option", { value: kind.key, textContent: kind.title, selected: kind.key === button.type })));
      if (!this.page.kinds.some((kind) => kind.key === button.type)) select.prepend(element("option", { value: "", textContent: "请选择", selected: true }));
      select.addEventListener("change", () => {
        button.type = select.value;
        this.changed();
        this.drawForm();
      });
      return this.field("点了以后", select, "", this.problemsAt(this.path, "type"));
    }

    choices(key) {
      if (key === "key") return { id: "menu-rules", rows: this.page.rules.map((rule) => [rule.menu_key, rule.name]) };
      if (key === "appid") return { id: "menu-minis", rows: this.page.minis.map((mini) => [mini.app_id, mini.name]) };
      return null;
    }

    hintOf(button, key) {
      if (key === "url" && button.type === "miniprogram") return "旧版微信打不开小程序时打开的网页";
      if (key === "pagepath") return "如 pages/coupons/index";
      if (key !== "key") return "";
      if (!button.type.startsWith("click")) return "微信会连同结果把它发给系统";
      return this.page.rules.length ? "从「点菜单时」的自动回复里选，或填一个新的标识再去加回复" : "填一个标识，再到「自动回复」里加一条「点菜单时」的规则";
    }

    deedFields(button) {
      const kind = this.page.kinds.find((one) => one.key === button.type);
      return (kind?.fields ?? []).map((key) => {
        const { title, bytes: most } = this.page.fields[key];
        const label = key === "url" && button.type === "miniprogram" ? "备用网页" : title;
        const list = this.choices(key);
        const box = this.text(button, key, label, { most, hint: this.hintOf(button, key), problems: this.problemsAt(this.path, key), listId: list?.id });
        if (list) box.append(element("datalist", { id: list.id }, ...list.rows.map(([value, words]) => element("option", { value, label: words }))));
        return box;
      });
    }

    moves() {
      const row = this.rowOf(this.path);
      const at = this.path.at(-1);
      const names = this.path.length > 1 ? ["上移", "下移"] : ["左移", "右移"];
      const back = element("button", { type: "button", textContent: names[0], disabled: at === 0 });
      const on = element("button", { type: "button", textContent: names[1], disabled: at === row.length - 1 });
      const gone = element("button", { type: "button", textContent: this.chosen.sub_button ? "连同子菜单删除" : "删除" });
      back.addEventListener("click", () => this.move(-1));
      on.addEventListener("click", () => this.move(1));
      gone.addEventListener("click", () => this.remove());
      return element("div", { className: "xe-menu-moves" }, back, on, gone);
    }

    drawForm() {
      const place = this.root.querySelector("[data-menu-form]");
      const button = this.chosen;
      const general = this.problemsAt([]).filter((one) => one.field !== "tag_id").concat(this.path.length ? this.problemsAt(this.path, "sub_button") : []);
      const notes = general.map((one) => element("p", { className: "xe-bad", textContent: one.message }));
      if (!button) return place.replaceChildren(...notes, element("p", { className: "xe-quiet", textContent: "点手机底部的「＋」加一个菜单" }));
      const isTop = this.path.length === 1;
      const name = this.text(button, "name", isTop ? "一级菜单名称" : "子菜单名称", {
        most: isTop ? this.page.limits.top_bytes : this.page.limits.below_bytes,
        hint: isTop ? "建议 4 个汉字以内" : "建议 8 个汉字以内",
        problems: this.problemsAt(this.path, "name"),
      });
      const deed = button.sub_button
        ? [element("p", { className: "xe-quiet", textContent: "点了展开子菜单。在手机上点一个子菜单来修改它。" })]
        : [this.kindField(button), ...this.deedFields(button)];
      return place.replaceChildren(...notes, name, ...deed, this.moves());
    }

    written() {
      const [first, ...others] = this.menus;
      return JSON.stringify({ buttons: first.buttons, conditionals: others });
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const page = JSON.parse(document.getElementById("menu-page")?.textContent ?? "null");
    const root = document.querySelector("[data-menu-editor], [data-menu-view]");
    if (!page || !root) return;
    const desk = new Desk(root, page);
    desk.draw();
    if (desk.mayEdit) root.addEventListener("submit", () => { root.elements.namedItem("menus").value = desk.written(); });
  });
})();
