"use strict";
(function () {
  const text = document.getElementById("figures").textContent;
  const content = JSON.parse(text);
  const isDark = window.matchMedia("(prefers-color-scheme: dark)");
  const options = { responsive: true, displayModeBar: false };
  const PAPER = 680;
  const TALLEST = 820; // what a page has room for, below a heading

  // Colours stand under keys that name one: nothing else in a figure is changed.
  function recolour(value, isColour) {
    if (typeof value === "string") return isColour ? content.dark[value] || value : value;
    if (Array.isArray(value)) return value.map((part) => recolour(part, isColour));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [
        key,
        recolour(part, /color/.test(key) && !/colorbar/.test(key)),
      ])
    );
  }

  // Where there is no room for all labels, every other one stays: the last one, or the first.
  function thin(axis, { room, keep }, width) {
    while (axis.tickvals.length > 2 && axis.tickvals.length * room > width) {
      const from = keep === "first" ? 0 : axis.tickvals.length - 1;
      const stays = (_, index) => (from - index) % 2 === 0;
      axis.ticktext = axis.ticktext.filter(stays);
      axis.tickvals = axis.tickvals.filter(stays);
    }
  }

  // On paper nothing moves, or it would be printed half-way, and the paper is as wide as it is.
  function draw(theme, isPaper) {
    document.documentElement.dataset.theme = theme;
    const shown = isPaper ? { ...options, staticPlot: true, responsive: false } : options;
    for (const figure of content.figures) {
      const place = document.getElementById(figure.id);
      const own = JSON.parse(JSON.stringify(figure));
      const { data, layout } = theme === "dark" ? recolour(own, false) : own;
      const width = isPaper ? PAPER : place.clientWidth;
      if (isPaper) layout.height = Math.min(layout.height, TALLEST);
      if (isPaper) layout.width = width;
      if (isPaper) for (const trace of data) if (trace.type === "sankey") trace.textfont = { size: 9 };
      if (width < 480) {
        for (const trace of data) {
          if (trace.type !== "heatmap") continue;
          Object.assign(trace, { showscale: false, textfont: { ...trace.textfont, size: 9 } });
        }
      }
      if (layout.meta && layout.meta.thinned) thin(layout.xaxis, layout.meta.thinned, width);
      layout.template = content.templates[theme];
      const note = place.querySelector("p.quiet");
      if (note) note.remove();
      window.Plotly.react(place, data, layout, shown).then(() => {
        place.dataset.drawn = theme;
      });
    }
  }

  const screen = () => draw(isDark.matches ? "dark" : "light");
  if (window.Plotly) {
    screen();
    isDark.addEventListener("change", screen);
  }
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
    if (window.Plotly) draw("light", true);
  });
  window.addEventListener("afterprint", () => window.Plotly && screen());
})();
