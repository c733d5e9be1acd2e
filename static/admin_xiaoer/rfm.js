// Sizes of the groups at the ends of months, from the table's own numbers; again when the theme changes.
(() => {
  "use strict";

  const box = document.getElementById("rfm-chart");
  const { names, months, sizes } = JSON.parse(document.getElementById("rfm-months").textContent);
  const whole = new Intl.NumberFormat("zh-CN");
  const shades = ["#164a38", "#276f56", "#4f9a80", "#97cdb8", "#7c5a1e", "#b98a3a", "#d9b978", "#cbd5e1"];
  const chart = window.echarts.init(box);

  const draw = () => {
    const dark = document.documentElement.classList.contains("dark");
    const text = dark ? "#9ca3af" : "#6b7280";
    const line = dark ? "#374151" : "#e5e7eb";
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: "inherit" },
      color: shades,
      grid: { left: 8, right: 12, top: 40, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 12, textStyle: { color: text, fontSize: 12 } },
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: (value) => `${whole.format(value)} 位` },
      xAxis: { type: "category", data: months, axisLabel: { color: text }, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { color: text, formatter: (value) => whole.format(value) }, splitLine: { lineStyle: { color: line } } },
      series: names.map((name, place) => ({ name, type: "bar", stack: "all", barMaxWidth: 46, data: sizes.map((row) => row[place]) })),
    }, true);
  };

  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  window.addEventListener("resize", () => chart.resize());
})();
