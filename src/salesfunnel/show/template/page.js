"use strict";
(function () {
  const text = document.getElementById("figures").textContent;
  const content = JSON.parse(text);
  const isDark = window.matchMedia("(prefers-color-scheme: dark)");
  const options = { responsive: true, displayModeBar: false };

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

  // Where there is no room for all labels, every other one stays, from the last one back.
  function thin(axis, width) {
    while (axis.tickvals.length > 2 && axis.tickvals.length * 70 > width) {
      const stays = (_, index) => (axis.tickvals.length - 1 - index) % 2 === 0;
      axis.ticktext = axis.ticktext.filter(stays);
      axis.tickvals = axis.tickvals.filter(stays);
    }
  }

  function draw(theme) {
    document.documentElement.dataset.theme = theme;
    for (const figure of content.figures) {
      const place = document.getElementById(figure.id);
      const own = JSON.parse(JSON.stringify(figure));
      const { data, layout } = theme === "dark" ? recolour(own, false) : own;
      if (place.clientWidth < 480) {
        for (const trace of data) {
          if (trace.type === "heatmap") Object.assign(trace, { showscale: false, textfont: { size: 9 } });
        }
      }
      if (layout.meta && layout.meta.thinned) thin(layout.xaxis, place.clientWidth);
      layout.template = content.templates[theme];
      const note = place.querySelector("p.quiet");
      if (note) note.remove();
      window.Plotly.react(place, data, layout, options).then(() => {
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
    if (window.Plotly) draw("light");
  });
  window.addEventListener("afterprint", () => window.Plotly && screen());
})();
