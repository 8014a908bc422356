// Makes the charts of a page answer: hover, focus and arrow keys show values, series, projects and seeds are switched on
// and off, and the curves of another project can be laid over. The drawing that the page came with stays until the
// library is there, stays without scripts, and is what gets printed.
(() => {
  const figures = document.querySelectorAll("figure.rg-figure:has(> script.rg-json)");
  if (!figures.length) return;

  const assets = new URL(".", document.currentScript.src);
  const charts = new Set();

  const libraries = () => {
    const load = (name) =>
      new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = new URL(`vendor/${name}`, assets);
        script.onload = done;
        script.onerror = failed;
        document.head.append(script);
      });
    libraries.loaded ??= load("chart.umd.min.js").then(() => load("chartjs-chart-matrix.min.js"));
    return libraries.loaded;
  };

  const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--rg-${name}`).trim();
  const faint = (name, share) => `color-mix(in srgb, ${colour(name)} ${Math.round(100 * share)}%, transparent)`;

  // In the page's language, whose region its theme may not know; they come with the numbers of each chart.
  let words = {};

  const decimals = (value, places, form = {}) =>
    new Intl.NumberFormat(words.language, { minimumFractionDigits: places, maximumFractionDigits: places, ...form })
      .format(value)
      .replace("-", "−");
  const percent = (value, places) => decimals(value, places, { style: "percent" });
  const points = (value, places) => `${decimals(100 * value, places, { signDisplay: "exceptZero" })}\u00a0${words.points}`;
  const duration = (value) => {
    if (Math.round(10 * value) < 600) return `${decimals(value, 1)}\u00a0s`;
    if (Math.round(value) < 3600) return `${Math.floor(Math.round(value) / 60)}\u00a0min ${Math.round(value) % 60}\u00a0s`;
    const minutes = Math.round(value / 60);
    return `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
  };
  // A value in full, and a round value on an axis.
  const written = {
    percent: (value) => percent(value, 2),
    points: (value) => points(value, 2),
    nats: (value) => decimals(value, 3),
    seconds: duration,
    count: (value) => decimals(value, 0),
  };
  const short = {
    percent,
    points,
    nats: (value, places) => decimals(value, places),
    seconds: (value) => (value < 60 ? `${value}\u00a0s` : value < 3600 ? `${value / 60}\u00a0min` : `${value / 3600}\u00a0h`),
    count: (value) => new Intl.NumberFormat(words.language, { notation: "compact" }).format(value),
  };
  // The fewest decimals that tell the values of an axis apart.
  const digits = (unit, ticks) => {
    const scale = unit === "percent" || unit === "points" ? 100 : 1;
    const told = (places) => ticks.every(({ value }) => Math.abs(Number((scale * value).toFixed(places)) - scale * value) < 1e-6);
    return [0, 1, 2, 3].find(told) ?? 4;
  };
  const spread = (unit, mark) => {
    if (mark.spread === null) return "";
    return ` ± ${unit === "percent" || unit === "points" ? decimals(100 * mark.spread, 2) : written[unit](mark.spread)}`;
  };

  // As much of a text as has room, its end included: where long names begin alike, that is what tells them apart.
  const fitted = (context, text, width) => {
    let shown = text;
    for (let kept = text.length - 1; kept > 2 && context.measureText(shown).width > width; kept -= 1)
      shown = `${text.slice(0, Math.ceil(0.6 * kept)).trimEnd()}…${text.slice(text.length - Math.floor(0.4 * kept)).trimStart()}`;
    return shown;
  };

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // What Chart.js is told in the same words every time.
  const base = (title = "") => ({
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    plugins: {
      legend: { display: false },
      title: { display: Boolean(title), text: title, align: "start", color: colour("ink"), padding: { top: 0, bottom: 6 } },
      tooltip: {
        backgroundColor: colour("paper"),
        titleColor: colour("ink"),
        bodyColor: colour("ink"),
        borderColor: colour("grid"),
        borderWidth: 1,
        usePointStyle: true,
        boxWidth: 8,
        boxHeight: 8,
      },
    },
  });
  const axis = (title, unit, more = {}) => ({
    title: { display: Boolean(title), text: title, color: colour("ink") },
    grid: { color: colour("grid"), lineWidth: 0.7 },
    border: { color: colour("grid") },
    ...more,
    ticks: { color: colour("ink"), maxRotation: 0, callback: (value, _, ticks) => short[unit](value, digits(unit, ticks)), ...more.ticks },
  });

  // Lines between the marks of one project, bars on either side of a mean, and words beside a mark.
  const joined = (chart) => {
    const context = chart.ctx;
    context.strokeStyle = colour("grid");
    context.lineWidth = 2;
    for (const marks of chart.options.joined ?? []) {
      const shown = marks.filter(({ number }) => chart.isDatasetVisible(number)).sort((a, b) => a.x - b.x);
      context.beginPath();
      for (const { x, y } of shown) context.lineTo(chart.scales.x.getPixelForValue(x), chart.scales.y.getPixelForValue(y));
      context.stroke();
    }
  };
  const spreads = {
    id: "spreads",
    beforeDatasetsDraw(chart) {
      joined(chart);
      const along = chart.options.spreadAlong;
      if (!along) return;
      const context = chart.ctx;
      chart.data.datasets.forEach((dataset, number) => {
        if (!chart.isDatasetVisible(number)) return;
        chart.getDatasetMeta(number).data.forEach((point, index) => {
          const { spread: size, [along]: value } = dataset.data[index];
          if (!size || point.skip) return;
          const [from, to] = [value - size, value + size].map((end) => chart.scales[along].getPixelForValue(end));
          context.strokeStyle = dataset.borderColor;
          context.lineWidth = 1.5;
          context.beginPath();
          context.moveTo(...(along === "x" ? [from, point.y] : [point.x, from]));
          context.lineTo(...(along === "x" ? [to, point.y] : [point.x, to]));
          context.stroke();
        });
      });
    },
  };
  // Words on a rim of paper, so that the lines of the grid go behind them, not through them.
  const rimmed = (context, text, x, y) => {
    context.strokeStyle = colour("paper");
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  const signs = {
    id: "signs",
    afterDatasetsDraw(chart) {
      const context = chart.ctx;
      context.save();
      context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
      const free = [];
      chart.data.datasets.forEach((dataset, number) => {
        if (!chart.isDatasetVisible(number)) return;
        chart.getDatasetMeta(number).data.forEach((point, index) => {
          const { sign, end, left } = dataset.data[index];
          if (!sign) return;
          context.fillStyle = dataset.borderColor;
          if (end === undefined) return free.push({ sign, colour: dataset.borderColor, x: point.x, y: point.y - 5 });
          context.textAlign = left ? "right" : "left";
          rimmed(context, sign, chart.scales.x.getPixelForValue(end) + (left ? -9 : 9), point.y + 4);
        });
      });
      // From below, each moved up where another one stands; within the chart, or it would be cut off.
      context.textAlign = "left";
      const placed = [];
      for (const word of free.sort((a, b) => b.y - a.y || a.x - b.x)) {
        const width = context.measureText(word.sign).width;
        const from = word.x + 7 + width > chart.width ? word.x - 7 - width : word.x + 7;
        const meets = (other) => Math.abs(word.y - other.y) < 12 && from < other.to + 3 && other.from < from + width + 3;
        while (placed.some(meets)) word.y -= 3;
        placed.push({ from, to: from + width, y: word.y });
        context.fillStyle = word.colour;
        context.fillText(word.sign, from, word.y);
      }
      context.fillStyle = colour("ink");
      context.textAlign = "left";
      for (const [place, label] of (chart.options.rowLabels ?? []).entries()) {
        const left = chart.chartArea.left;
        rimmed(context, fitted(context, label, chart.width - left), left, chart.scales.y.getPixelForValue(place - 0.35));
      }
      context.restore();
    },
  };

  const dataset = (series, hidden, marks) => ({
    label: series.name,
    data: marks,
    hidden: hidden.has(series.key),
    borderColor: colour(series.colour),
    // Hollow ones are on top, being the first, and let through what lies at the same place: a ring about a dot.
    backgroundColor: series.hollow ? "transparent" : colour(series.colour),
    hoverBackgroundColor: series.hollow ? "transparent" : colour(series.colour),
    hoverBorderColor: colour(series.colour),
    // Each is called as matplotlib calls it, which drew the chart that the page came with.
    pointStyle: series.marker === "D" ? "rectRot" : "circle",
    pointRadius: series.marker === "D" ? 6 : 5,
    pointHoverRadius: 7,
    pointBorderWidth: 1.6,
    pointHoverBorderWidth: 2.2,
  });

  const reach = (marks) => marks.flatMap(({ value, spread: size }) => [value - (size ?? 0), value + (size ?? 0)]);

  const kinds = {
    Dots(data, hidden) {
      const rows = data.rows.filter((row) => !hidden.has(row.key));
      const values = [...reach(rows.flatMap((row) => row.marks.filter(Boolean))), ...(data.zero ? [0] : [])];
      const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
      const margin = 0.27 * (high - low || 1); // as wide as the number beside the outermost mark
      const datasets = data.series.map((series, k) =>
        dataset(
          series,
          hidden,
          rows.flatMap((row, y) => {
            const mark = row.marks[k];
            if (!mark) return [];
            // The numbers stand outside of everything that is drawn in the row.
            const known = row.marks.filter(Boolean);
            const ends = reach(known);
            const left = known.length > 1 && mark === known.reduce((least, other) => (other.value < least.value ? other : least));
            const end = left ? Math.min(...ends) : Math.max(...ends);
            return [{ x: mark.value, y, ...mark, of: row.label, sign: written[data.unit](mark.value), end, left }];
          }),
        ),
      );
      const options = base();
      options.spreadAlong = "x";
      options.rowLabels = rows.map((row) => row.label);
      options.layout = { padding: { right: 12 } };
      options.joined = rows.map((row, y) => row.marks.flatMap((mark, number) => (mark ? [{ number, x: mark.value, y }] : [])));
      options.scales = {
        x: axis(data.across, data.unit, {
          min: low - margin,
          max: high + margin,
          ticks: { includeBounds: false },
          afterBuildTicks: (scale) => {
            if (data.unit === "percent") scale.ticks = scale.ticks.filter(({ value }) => value >= 0 && value <= 1);
          },
        }),
        y: { display: false, min: -0.75, max: Math.max(rows.length - 0.6, 0.5), reverse: true },
      };
      options.plugins.tooltip.callbacks = {
        title: (items) => items[0]?.raw.of ?? "",
        label: (item) => ` ${item.dataset.label}: ${written[data.unit](item.raw.value)}${spread(data.unit, item.raw)}`,
      };
      return [{ type: "scatter", data: { datasets }, options, plugins: [spreads, signs] }];
    },

    Plane(data, hidden) {
      const spots = data.spots.filter((spot) => !hidden.has(spot.key));
      const datasets = data.series.map((series, k) =>
        dataset(
          series,
          hidden,
          spots.flatMap((spot) => {
            if (!spot.places[k]) return [];
            const [x, mark] = spot.places[k];
            return [{ x, y: mark.value, ...mark, of: spot.label, sign: spot.sign }];
          }),
        ),
      );
      const round =
        data.across_unit === "seconds"
          ? [1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 36000, 108000, 360000]
          : Array.from({ length: 36 }, (_, k) => [1, 2, 5][k % 3] * 10 ** Math.floor(k / 3));
      const options = base(data.upwards);
      options.spreadAlong = "y";
      options.joined = spots.map((spot) =>
        spot.places.flatMap((place, number) => (place ? [{ number, x: place[0], y: place[1].value }] : [])),
      );
      options.layout = { padding: { right: 18 } };
      options.scales = {
        x: axis(data.across, data.across_unit, {
          type: "logarithmic",
          afterBuildTicks: (scale) => {
            scale.ticks = round.filter((value) => value >= scale.min && value <= scale.max).map((value) => ({ value }));
          },
        }),
        y: axis("", data.unit, { grace: "5%" }),
      };
      options.plugins.tooltip.callbacks = {
        title: (items) => items[0]?.raw.of ?? "",
        label: (item) =>
          ` ${item.dataset.label}: ${written[data.across_unit](item.raw.x)}; ` +
          `${written[data.unit](item.raw.value)}${spread(data.unit, item.raw)}`,
      };
      return [{ type: "scatter", data: { datasets }, options, plugins: [spreads, signs] }];
    },

    Matrix(data) {
      const known = data.cells.flat();
      const [low, high] = data.diagonal ? [0, 1] : [Math.min(...known), Math.max(...known)];
      const cells = data.cells.flatMap((row, y) =>
        row.map((value, x) => ({ x: data.columns[x], y: data.rows[y], value, same: x === y })),
      );
      const shade = ({ value, same }) => {
        const depth = (value - low) / (high - low || 1);
        const name = data.diagonal ? (same ? "train" : "validation") : "reproduction";
        return faint(name, 0.55 * (data.diagonal ? Math.sqrt(depth) : depth));
      };
      const options = base();
      const sides = (names, shown, title, more) => ({
        ...axis(title, "count", { type: "category", labels: names, offset: true, grid: { display: false } }),
        ...more,
        border: { display: false },
        ticks: { color: colour("ink"), autoSkip: false, maxRotation: 60, callback: (value, place) => shown[place] },
      });
      options.scales = {
        x: sides(data.columns, data.column_labels, data.across, { position: "bottom" }),
        y: sides(data.rows, data.row_labels, data.down, { reverse: false }),
      };
      options.plugins.tooltip.callbacks = {
        title: () => "",
        label: ({ raw }) => ` ${data.down}: ${raw.y}; ${data.across}: ${raw.x}; ${written.percent(raw.value)}`,
      };
      const numbers = {
        id: "numbers",
        afterDatasetsDraw(chart) {
          const context = chart.ctx;
          context.save();
          context.font = `${chart.width < 420 ? 11 : 13}px ${getComputedStyle(document.body).fontFamily}`;
          context.fillStyle = colour("ink");
          context.textAlign = "center";
          context.textBaseline = "middle";
          chart.getDatasetMeta(0).data.forEach((cell, index) => {
            const { x, y } = cell.getCenterPoint();
            context.fillText(decimals(100 * cells[index].value, 0), x, y);
          });
          context.restore();
        },
      };
      const matrix = {
        data: cells,
        backgroundColor: cells.map(shade),
        hoverBackgroundColor: cells.map(shade),
        borderColor: colour("ink"),
        hoverBorderColor: colour("ink"),
        borderWidth: 0,
        hoverBorderWidth: 2,
        width: ({ chart }) => (chart.chartArea?.width ?? 0) / data.columns.length,
        height: ({ chart }) => (chart.chartArea?.height ?? 0) / data.rows.length,
      };
      return [{ type: "matrix", data: { datasets: [matrix] }, options, plugins: [numbers] }];
    },

    Curves(data, hidden, over) {
      return data.panels.map((panel, place) => {
        const datasets = panel.lines.flatMap((line) => curves(line, hidden, (name) => name));
        for (const line of over?.panels[place].lines ?? []) {
          datasets.push(...curves({ ...line, colour: "other" }, hidden, (name) => `${over.name}, ${name}`));
        }
        const longest = Math.max(...datasets.map(({ data: points }) => points.length), 1);
        const options = base(panel.title);
        options.interaction = { mode: "index", intersect: false };
        options.scales = {
          x: axis(place === data.panels.length - 1 ? data.across : "", "count", { type: "linear", min: 1, max: longest, ticks: { precision: 0 } }),
          // As wide in every panel, so that an epoch stands below itself.
          y: axis("", panel.unit, { afterFit: (scale) => (scale.width = Math.max(scale.width, 54)) }),
        };
        options.plugins.tooltip.filter = (item) => !item.dataset.band && !(item.dataIndex < item.dataset.mean);
        options.plugins.tooltip.callbacks = {
          title: (items) => (items.length ? `${data.across} ${items[0].parsed.x}` : ""),
          label: (item) =>
            ` ${item.dataset.label}: ${written[panel.unit](item.parsed.y)}` +
            (item.dataset.range ? ` (${item.dataset.range(item.dataIndex).map(written[panel.unit]).join(" – ")})` : "") +
            (item.dataset.kept === item.parsed.x ? ` (${data.kept})` : ""),
        };
        return { type: "line", data: { datasets }, options };
      });
    },
  };

  // One quantity of several runs: each run, and of several the mean and a band from the smallest to the largest.
  const curves = (line, hidden, naming) => {
    if (hidden.has(line.name)) return [];
    const runs = line.runs.filter((run) => !hidden.has(run.name));
    const several = runs.length > 1;
    const plain = { clip: 8, borderColor: colour(line.colour), borderDash: line.dashed ? [6, 4] : [], pointRadius: 0, pointHoverRadius: 4, backgroundColor: colour(line.colour) };
    const at = (values) => values.map((y, k) => ({ x: k + 1, y }));
    const made = runs.map((run) => ({
      ...plain,
      label: naming(line.runs.length > 1 ? `${line.name}, ${run.name}` : line.name),
      data: at(run.values),
      kept: run.kept,
      borderWidth: several ? 1 : 2,
      borderColor: several ? faint(line.colour, 0.6) : colour(line.colour),
      pointRadius: run.values.map((_, k) => (k + 1 === run.kept ? 4 : 0)),
    }));
    if (!several) return made;
    const lengths = runs.map((run) => run.values.length).sort((a, b) => a - b);
    made.forEach((one) => (one.mean = lengths[0])); // until then the mean speaks for the runs
    const going = (k) => runs.filter((run) => k < run.values.length).map((run) => run.values[k]);
    const upTo = (length, of) => at(Array.from({ length }, (_, k) => of(going(k))));
    const band = { ...plain, band: true, borderWidth: 0, pointHoverRadius: 0, backgroundColor: faint(line.colour, 0.16) };
    return [
      ...made,
      { ...band, data: upTo(lengths.at(-2), (values) => Math.min(...values)), fill: false },
      { ...band, data: upTo(lengths.at(-2), (values) => Math.max(...values)), fill: "-1" },
      {
        ...plain,
        label: naming(`${line.name}, ${words.mean}`),
        data: upTo(lengths[0], (values) => values.reduce((sum, value) => sum + value, 0) / values.length),
        range: (k) => [Math.min(...going(k)), Math.max(...going(k))],
        borderWidth: 2.4,
      },
    ];
  };

  const enliven = async (figure) => {
    const data = JSON.parse(figure.querySelector("script.rg-json").textContent);
    words = data.words;
    await libraries();
    const drawing = figure.querySelector(".rg-chart");
    const hidden = new Set();
    let over = null;
    const live = [];

    const said = element("p", { className: "rg-said" });
    said.setAttribute("aria-live", "polite");
    const canvases = element("div", { className: "rg-canvases", tabIndex: 0 });
    canvases.setAttribute("role", "group");
    canvases.setAttribute("aria-label", `${figure.querySelector(".rg-figure-title").textContent}. ${data.words.keys}`);
    const controls = element("div", { className: "rg-controls" });

    const redraw = () => {
      const made = kinds[data.kind](data, hidden, over);
      made.forEach((configuration, k) => {
        if (live[k]) {
          live[k].data = configuration.data;
          live[k].options = configuration.options;
          live[k].update();
          return;
        }
        const canvas = element("canvas");
        canvas.setAttribute("aria-hidden", "true");
        canvases.append(element("div", {}, canvas));
        live.push(new Chart(canvas, configuration));
      });
      place = null;
    };

    const box = (name, mark, key = name) => {
      const input = element("input", { type: "checkbox", checked: true });
      input.addEventListener("change", () => {
        input.checked ? hidden.delete(key) : hidden.add(key);
        redraw();
      });
      return element("label", {}, input, ...(mark ? [mark] : []), name);
    };
    const mark = (name, form) => {
      const sign = element("span", { className: `rg-sign ${form}` });
      sign.style.setProperty("--rg-this", `var(--rg-${name})`);
      return sign;
    };
    const group = (title, boxes) => {
      const all = element("details", { className: "rg-pick" }, element("summary", { textContent: title }), element("div", {}, ...boxes));
      all.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || !all.open) return;
        all.firstChild.focus(); // or what has the focus would be gone
        all.open = false;
      });
      return all;
    };
    if (data.kind === "Curves") {
      controls.append(...data.panels[0].lines.map((line) => box(line.name, mark(line.colour, line.dashed ? "dashed" : "line"))));
      const seeds = [...new Set(data.panels[0].lines.flatMap((line) => line.runs.map((run) => run.name)))];
      if (seeds.length > 1) controls.append(group(data.words.seeds, seeds.map((name) => box(name))));
      if (data.others?.length) {
        const choose = element("select", {}, new Option(data.words.nothing, ""), ...data.others.map(({ name, href }) => new Option(name, href)));
        choose.addEventListener("change", async () => {
          const [{ value, textContent: name }] = choose.selectedOptions;
          const other = value ? { ...(await (await fetch(value)).json()), name } : null;
          if (choose.value !== value) return; // another one has been chosen meanwhile
          over = other;
          redraw();
        });
        controls.append(element("label", {}, `${data.words.over} `, choose));
      }
    } else if (data.series) {
      const form = (one) => (one.hollow ? "hollow" : one.marker === "D" ? "diamond" : "dot");
      const series = (one) => box(one.name, mark(one.colour, form(one)), one.key);
      const rows = data.rows ?? data.spots;
      controls.append(...data.series.map(series), group(data.down, rows.map((row) => box(data.short[row.key] ?? row.label, null, row.key))));
    }

    // Arrow keys walk over the values; what a hover would show is shown, and said.
    let place = null;
    const walk = () => {
      const [first] = live;
      const every = [];
      if (data.kind === "Curves") {
        const longest = Math.max(...first.data.datasets.map(({ data: points }) => points.length));
        for (let index = 0; index < longest; index++) every.push(index);
      } else {
        first.data.datasets.forEach((one, datasetIndex) => {
          if (first.isDatasetVisible(datasetIndex)) one.data.forEach((_, index) => every.push({ datasetIndex, index }));
        });
        if (data.kind === "Dots") every.sort((a, b) => at(first, a).y - at(first, b).y);
        if (data.kind === "Plane") every.sort((a, b) => at(first, a).x - at(first, b).x);
      }
      return every;
    };
    const at = (chart, { datasetIndex, index }) => chart.data.datasets[datasetIndex].data[index];
    const point = (stop) => {
      const lines = [];
      for (const [number, chart] of live.entries()) {
        const active =
          data.kind === "Curves"
            ? chart.data.datasets.flatMap((one, datasetIndex) =>
                one.band || stop >= one.data.length ? [] : [{ datasetIndex, index: stop }],
              )
            : [stop];
        const target = active.length ? chart.getDatasetMeta(active[0].datasetIndex).data[active[0].index] : null;
        if (!target) continue;
        const { x, y } = target.getCenterPoint ? target.getCenterPoint() : target;
        chart.setActiveElements(active);
        chart.tooltip.setActiveElements(active, { x, y });
        chart.update();
        if (data.panels) lines.push(data.panels[number].title);
        lines.push(...chart.tooltip.title, ...chart.tooltip.body.flatMap((part) => part.lines.map((line) => line.trim())));
      }
      said.textContent = [...new Set(lines)].filter(Boolean).join("; ");
    };
    const leave = () => {
      place = null;
      said.textContent = "";
      for (const chart of live) {
        chart.setActiveElements([]);
        chart.tooltip.setActiveElements([], { x: 0, y: 0 });
        chart.update();
      }
    };
    canvases.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own, such as back to the page before
      const stops = walk();
      const columns = data.kind === "Matrix" ? data.columns.length : 1;
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
      if (event.key === "Escape") return leave();
      if (event.key === "Home") place = 0;
      else if (event.key === "End") place = stops.length - 1;
      else if (event.key in steps) {
        const next = place === null ? 0 : place + steps[event.key];
        place = next < 0 || next >= stops.length ? place : next;
      } else return;
      event.preventDefault();
      if (stops.length) point(stops[place]);
    });
    canvases.addEventListener("blur", leave);

    const shape = drawing.querySelector("svg").viewBox.baseVal;
    const room = element("div", { className: "rg-live" }, controls, canvases, said);
    room.style.aspectRatio = `${shape.width} / ${shape.height}`;
    room.style.maxWidth = `${Math.round((shape.width * 4) / 3)}px`;
    drawing.append(room);
    figure.classList.add("rg-is-live");
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    redraw();
    charts.add(redraw);
  };

  // The library is fetched when the first chart comes near.
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        enliven(target).catch((problem) => console.error(problem));
      }
    },
    { rootMargin: "400px" },
  );
  figures.forEach((figure) => near.observe(figure));
  new MutationObserver(() => charts.forEach((redraw) => redraw())).observe(document.body, {
    attributeFilter: ["data-md-color-scheme"],
  });
})();
