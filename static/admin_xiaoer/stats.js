// Draws the charts of the page of numbers from the days that stand beside them; again when the theme changes.
(() => {
  "use strict";

  const days = JSON.parse(document.getElementById("stats-days").textContent);
  const whole = new Intl.NumberFormat("zh-CN");
  const money = new Intl.NumberFormat("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const short = (value) => (Math.abs(value) >= 10000 ? `${whole.format(Math.round(value / 1000) / 10)} 万` : whole.format(value));
  const charts = new Map();

  const palette = () => {
    const dark = document.documentElement.classList.contains("dark");
    return dark
      ? { main: "#52a588", other: "#8fa3ad", text: "#9ca3af", line: "#374151", back: "#111827", fore: "#f3f4f6" }
      : { main: "#1f6f54", other: "#94a3b8", text: "#6b7280", line: "#e5e7eb", back: "#ffffff", fore: "#111827" };
  };

  // The name stands at the end of its line instead of in a legend.
  const series = (name, key, colour, kind, above) => ({
    name,
    type: kind,
    data: days.map((day) => day[key]),
    itemStyle: { color: colour },
    lineStyle: { color: colour, width: 2 },
    symbol: "circle",
    symbolSize: 5,
    showSymbol: days.length < 32,
    barMaxWidth: 18,
    endLabel: { show: kind === "line", formatter: name, color: colour, fontWeight: 600, offset: [0, above ? -8 : 8] },
  });

  const option = (kind, colours) => {
    const isMoney = kind === "money";
    const form = days.length > 1 ? "line" : "bar";
    const shown = isMoney
      ? [series("销售", "sales", colours.other, form, true), series("优惠", "discount", colours.main, form, false)]
      : [series("发放", "issued", colours.other, form, true), series("核销", "redeemed", colours.main, form, false)];
    return {
      animation: false,
      textStyle: { fontFamily: "inherit" },
      grid: { left: 8, right: 52, top: 16, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "axis",
        backgroundColor: colours.back,
        borderColor: colours.line,
        textStyle: { color: colours.fore, fontSize: 12 },
        valueFormatter: (value) => (isMoney ? `¥${money.format(value)}` : `${whole.format(value)} 张`),
      },
      xAxis: {
        type: "category",
        boundaryGap: days.length < 2,
        data: days.map((day) => day.day),
        axisLabel: { color: colours.text, hideOverlap: true, formatter: (day) => `${Number(day.slice(5, 7))}-${Number(day.slice(8))}` },
        axisLine: { lineStyle: { color: colours.line } },
        axisTick: { show: false },
      },
      yAxis: {
        type: "value",
        minInterval: isMoney ? undefined : 1,
        axisLabel: { color: colours.text, formatter: short },
        splitLine: { lineStyle: { color: colours.line } },
      },
      series: shown,
    };
  };

  const draw = () => {
    const colours = palette();
    document.querySelectorAll("[data-chart]").forEach((box) => {
      if (!charts.has(box)) charts.set(box, window.echarts.init(box));
      charts.get(box).setOption(option(box.dataset.chart, colours), true);
    });
  };

  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
})();
