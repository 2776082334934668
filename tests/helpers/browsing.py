"""What tests ask of a page in a browser, as scripts that run in it."""

import shutil

CHROMIUM = shutil.which("chromium")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SCREEN = {"width": 1400, "height": 1000}
"""What the first screen is made for."""

CONTRASTS = """
() => {
  // WCAG 2: relative luminance of sRGB, (L1 + 0.05) / (L2 + 0.05).
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = channels(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
      if (colour[3] !== 0) throw new Error(`see-through: ${e.outerHTML.slice(0, 80)}`);
    }
    return [255, 255, 255];
  };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || e.closest("script, style") || !e.checkVisibility()) continue;
    const [text, ground] = [channels(getComputedStyle(e).color), behind(e)];
    const key = `${text} on ${ground}`;
    if (found.has(key)) continue;
    const [low, high] = [luminance(text), luminance(ground)].sort((a, b) => a - b);
    found.set(key, [(high + 0.05) / (low + 0.05), e.outerHTML.slice(0, 120)]);
  }
  return [...found.values()];
}
"""
"""(contrast, element) of each pair of colours in which visible text stands."""

COLUMNS = """
(table) => [...table.tHead.rows[0].cells].map((head, column) => ({
  head: head.textContent,
  rows: [...table.tBodies[0].rows].map((row) => ({
    text: row.cells[column].textContent.trim(),
    value: row.cells[column].dataset.value ?? null,
    reference: row.classList.contains("reference"),
    id: [...table.tBodies[0].rows].indexOf(row),
  })),
}))
"""
"""Columns of a table: head, and of each row the text, `data-value` and whether it is one of reference."""

OUTLINE = "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((h) => Number(h.tagName[1]))"
"""Levels of the heads, in order."""


def unfolded(page):
    """Opens the parts of the report, and returns it."""
    page.eval_on_selector_all("details.fold", "all => all.forEach((e) => { e.open = true; })")
    return page
