// Draws the report's charts.  Each has its table in the page already; without this script only the picture is missing.
(() => {
  const place = document.getElementById("charts");
  if (!place || !window.echarts) return;
  const words = JSON.parse(place.dataset.words);
  const blue = "#066fd1", grey = "#929dab";
  const colours = { good: "#2fb344", fair: "#4299e1", watch: "#f76707", few: "#adb5bd" };
  const font = getComputedStyle(document.body).fontFamily;
  const base = {
    animation: false,
    textStyle: { fontFamily: font },
    // The page's policy forbids styles inside markup, so tooltips are drawn and not built of HTML.
    tooltip: { renderMode: "richText", confine: true },
    grid: { left: 8, right: 12, top: 28, bottom: 4, containLabel: true },
  };
  const drawn = {};

  const options = {
    trend: (data) => ({
      legend: { top: 0, right: 0, data: [words.now, words.last] },
      tooltip: { ...base.tooltip, trigger: "axis" },
      xAxis: { type: "category", data: data.trend.days.map((day) => day.slice(5)) },
      yAxis: { type: "value", minInterval: 1 },
      series: [
        { name: words.last, type: "line", data: data.trend.last_year, symbol: "none", lineStyle: { type: "dashed", color: grey }, itemStyle: { color: grey } },
        { name: words.now, type: "line", data: data.trend.received, symbolSize: 4, lineStyle: { color: blue, width: 2 }, itemStyle: { color: blue } },
      ],
    }),
    hours: (data) => {
      const cells = data.hours.flatMap((row, day) => row.map((number, hour) => [hour, day, number]));
      return {
        xAxis: { type: "category", data: [...Array(24).keys()] },
        yAxis: { type: "category", data: words.days, inverse: true },
        visualMap: { show: false, min: 0, max: Math.max(1, ...cells.map((cell) => cell[2])), inRange: { color: ["#f2f7fc", "#90b8e8", "#0b4f94"] } },
        series: [{ type: "heatmap", data: cells, itemStyle: { borderColor: "#fff", borderWidth: 1 } }],
      };
    },
    tasks: (data) => ({
      series: [{ type: "pie", radius: ["36%", "64%"], center: ["50%", "52%"], data: data.tasks, label: { formatter: "{b} {d}%", fontFamily: font }, minShowLabelAngle: 6 }],
    }),
    ageing: (data) => ({
      xAxis: { type: "category", data: data.ageing.bands },
      yAxis: { type: "value", minInterval: 1 },
      series: [{ type: "bar", data: data.ageing.numbers, barMaxWidth: 48, itemStyle: { color: blue }, label: { show: true, position: "top" } }],
    }),
    districts: (data) => {
      // A grid without a map: a square for each district, as dark as it has calls.
      const across = Math.ceil(Math.sqrt(data.districts.length));
      const down = Math.ceil(data.districts.length / across);
      const top = Math.max(1, ...data.districts.map((line) => line.received));
      const squares = data.districts.map((line, at) => ({
        value: [at % across, Math.floor(at / across), line.received],
        label: {
          formatter: `${line.name}\n${line.received}` + (line.per === null ? "" : `\n${words.per} ${line.per.toFixed(2)}`),
          color: line.received > top * 0.6 ? "#fff" : "#182433",
        },
      }));
      return {
        grid: { left: 0, right: 0, top: 0, bottom: 0 },
        xAxis: { type: "category", data: [...Array(across).keys()], show: false },
        yAxis: { type: "category", data: [...Array(down).keys()], inverse: true, show: false },
        visualMap: { show: false, min: 0, max: top, inRange: { color: ["#eaf2fb", "#1a6fc4"] } },
        tooltip: { show: false },
        series: [{ type: "heatmap", data: squares, label: { show: true, lineHeight: 18, fontFamily: font }, itemStyle: { borderColor: "#fff", borderWidth: 3 } }],
      };
    },
    departments: (data) => {
      const lines = data.departments.filter((line) => line.score !== null);
      return {
        xAxis: { type: "category", data: lines.map((line) => line.name), axisLabel: { interval: 0, rotate: 40, formatter: (name) => (name.length > 9 ? `${name.slice(0, 8)}…` : name) } },
        yAxis: { type: "value", min: 0, max: 100 },
        series: [{
          name: words.score, type: "bar", barMaxWidth: 26,
          data: lines.map((line) => ({ value: line.score, itemStyle: { color: colours[line.tier] } })),
          markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { type: "dashed", color: grey }, data: [{ yAxis: 90 }, { yAxis: 80 }] },
        }],
      };
    },
  };

  const draw = (data) => {
    for (const element of place.querySelectorAll("[data-chart]")) {
      const name = element.dataset.chart;
      drawn[name] = echarts.init(element, null, { renderer: "canvas" });
      drawn[name].setOption({ ...base, ...options[name](data) });
    }
    place.dataset.drawn = "yes";
  };

  const save = (name) => {
    const anchor = document.createElement("a");
    anchor.href = drawn[name].getDataURL({ type: "png", pixelRatio: 2, backgroundColor: "#fff" });
    anchor.download = `${name}.png`;
    anchor.click();
  };

  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-export]");
    if (button && drawn[button.dataset.export]) save(button.dataset.export);
  });
  const resize = () => Object.values(drawn).forEach((chart) => chart.resize());
  window.addEventListener("resize", resize);
  window.addEventListener("beforeprint", resize);

  fetch(place.dataset.source, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
    .then(draw)
    .catch(() => { place.dataset.drawn = "no"; });
})();
