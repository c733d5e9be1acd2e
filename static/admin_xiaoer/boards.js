// Draws the first places as bars from the rows that stand beside them; again when the theme changes.
(() => {
  "use strict";

  const box = document.querySelector("[data-board-chart]");
  const bars = JSON.parse(document.getElementById("board-bars").textContent);
  const isMoney = box.dataset.money === "1";
  const whole = new Intl.NumberFormat("zh-CN");
  const money = new Intl.NumberFormat("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const long = (value) => (isMoney ? `¥${money.format(value)}` : whole.format(value));
  const short = (value) => {
    const text = Math.abs(value) >= 10000 ? `${whole.format(Math.round(value / 100) / 100)} 万` : whole.format(Math.round(value));
    return isMoney ? `¥${text}` : text;
  };
  let chart = null;

  const draw = () => {
    const dark = document.documentElement.classList.contains("dark");
    const text = dark ? "#9ca3af" : "#6b7280";
    chart = chart || window.echarts.init(box);
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: "inherit" },
      grid: { left: 8, right: 76, top: 4, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "item",
        backgroundColor: dark ? "#111827" : "#ffffff",
        borderColor: dark ? "#374151" : "#e5e7eb",
        textStyle: { color: dark ? "#f3f4f6" : "#111827", fontSize: 12 },
        formatter: (point) => `${window.echarts.format.encodeHTML(point.name)}<br>${box.dataset.name} ${long(point.value)}`,
      },
      xAxis: { type: "value", show: false },
      yAxis: {
        type: "category",
        inverse: true,
        data: bars.map((bar) => bar.name),
        axisLabel: { color: text, width: 130, overflow: "truncate" },
        axisLine: { show: false },
        axisTick: { show: false },
      },
      series: [{
        type: "bar",
        data: bars.map((bar) => bar.value),
        barMaxWidth: 18,
        itemStyle: { color: dark ? "#52a588" : "#1f6f54", borderRadius: [0, 3, 3, 0] },
        label: { show: true, position: "right", color: text, formatter: (point) => short(point.value) },
      }],
    }, true);
  };

  box.style.height = `${Math.max(160, bars.length * 30 + 20)}px`;
  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  window.addEventListener("resize", () => chart.resize());
})();
