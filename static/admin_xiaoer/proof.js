// The report's button for the printer; and draws how many had done what the goal asks for, day by day, beside the control group; again when the theme changes.
(() => {
  "use strict";

  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
  // Paper is white, and what explains the numbers is on it too.
  const root = document.documentElement.classList;
  let wasDark = false;
  window.addEventListener("beforeprint", () => {
    for (const words of document.querySelectorAll(".xe-proof-terms")) words.open = true;
    wasDark = root.contains("dark");
    root.remove("dark");
  });
  window.addEventListener("afterprint", () => root.toggle("dark", wasDark));

  const box = document.querySelector("[data-proof]");
  if (!box) return;
  const days = JSON.parse(document.getElementById("proof-days").textContent);
  const chart = window.echarts.init(box);
  const { fontFamily } = getComputedStyle(box);

  const LIGHT = { main: "#1f6f54", other: "#94a3b8", text: "#6b7280", line: "#e5e7eb", back: "#ffffff", fore: "#111827" };
  const DARK = { main: "#52a588", other: "#8fa3ad", text: "#9ca3af", line: "#374151", back: "#111827", fore: "#f3f4f6" };
  const PAPER = { width: 660, height: 260 };

  // The name stands at the end of its line instead of in a legend.
  const series = (name, key, colour, offset) => ({
    name,
    type: "line",
    data: days.map((day) => day[key]),
    itemStyle: { color: colour },
    lineStyle: { color: colour, width: 2 },
    symbol: "circle",
    symbolSize: 5,
    endLabel: { show: true, formatter: name, color: colour, fontWeight: 600, offset: [0, offset] },
  });

  const option = (colours) => {
    const lines = [series("活动组", "treated", colours.main, -8)];
    if (days.some((day) => day.control !== null)) lines.push(series("对照组", "control", colours.other, 8));
    return {
      animation: false,
      textStyle: { fontFamily },
      grid: { left: 8, right: 60, top: 16, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "axis",
        backgroundColor: colours.back,
        borderColor: colours.line,
        textStyle: { color: colours.fore, fontSize: 12 },
        formatter: (points) => [`第 ${points[0].name} 天`, ...points.map((point) => `${point.marker}${point.seriesName} ${point.value}%`)].join("<br>"),
      },
      xAxis: {
        type: "category",
        boundaryGap: days.length < 2,
        data: days.map((day) => String(day.day)),
        axisLabel: { color: colours.text, hideOverlap: true },
        axisLine: { lineStyle: { color: colours.line } },
        axisTick: { show: false },
      },
      yAxis: {
        type: "value",
        axisLabel: { color: colours.text, formatter: "{value}%" },
        splitLine: { lineStyle: { color: colours.line } },
      },
      series: lines,
    };
  };

  const draw = () => chart.setOption(option(root.contains("dark") ? DARK : LIGHT), true);
  draw();
  // Browsers print a canvas as it stands on the screen, whatever it is told before: on paper a picture takes its place, as
  // wide as its card.
  const sheet = window.echarts.init(document.createElement("div"), null, PAPER);
  sheet.setOption(option(LIGHT));
  const picture = new Image();
  picture.className = "xe-chart-paper";
  picture.alt = "";
  picture.src = sheet.getDataURL({ pixelRatio: 3, backgroundColor: LIGHT.back });
  sheet.dispose();
  box.after(picture);
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  window.addEventListener("resize", () => chart.resize());
})();
