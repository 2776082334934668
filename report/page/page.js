"use strict";
document.documentElement.classList.add("has-script");

// Theme: the system's, unless the reader chose another. A browser may refuse to keep the choice for files.
const kept = {
  get() { try { return localStorage.getItem("theme"); } catch { return null; } },
  set(theme) { try { localStorage.setItem("theme", theme); } catch { /* then for this visit alone */ } },
};
const themes = ["system", "light", "dark"];
const themeButton = document.getElementById("theme");
function useTheme(theme) {
  document.documentElement.dataset.theme = theme;
  themeButton.querySelector("span").textContent = theme;
}
useTheme(themes.includes(kept.get()) ? kept.get() : "system");
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const next = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
  useTheme(next);
  kept.set(next);
});

// On a narrow page the contents open by a button, and close by a choice or Esc.
const contents = document.getElementById("contents");
const menu = document.getElementById("menu");
function showContents(open) {
  contents.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", String(open));
}
menu.addEventListener("click", () => showContents(!contents.classList.contains("open")));
contents.addEventListener("click", (event) => { if (event.target.closest("a")) showContents(false); });
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && contents.classList.contains("open")) { showContents(false); menu.focus(); }
});

// The entry of what is read: the last target above the upper third of the window. What is folded is not read.
const entries = [...contents.querySelectorAll("li a")];
const targets = entries.map((entry) => document.getElementById(entry.hash.slice(1)));
function mark() {
  const line = innerHeight / 3;
  const end = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
  let current = 0;
  targets.forEach((target, i) => {
    if (target.checkVisibility() && (end || target.getBoundingClientRect().top <= line)) current = i;
  });
  entries.forEach((entry, i) => {
    if (i === current) entry.setAttribute("aria-current", "true");
    else entry.removeAttribute("aria-current");
  });
  const [entry, box] = [entries[current].getBoundingClientRect(), contents.getBoundingClientRect()];
  if (entry.top < box.top) contents.scrollTop += entry.top - box.top;
  if (entry.bottom > box.bottom) contents.scrollTop += entry.bottom - box.bottom;
}
let waiting = false;
addEventListener("scroll", () => {
  if (!waiting) requestAnimationFrame(() => { waiting = false; mark(); });
  waiting = true;
}, { passive: true });
addEventListener("resize", mark);
document.querySelector("main").addEventListener("toggle", mark, true);
mark();

// What is looked for is unfolded: the parts around it, and its own. A link to the place where the reader is
// already does so too, which is no change of the address.
function unfold(hash) {
  const target = document.getElementById(decodeURIComponent(hash.slice(1)));
  const own = target?.querySelector(":scope > details.fold");
  if (own) own.open = true;
  for (let part = target; part; part = part.parentElement.closest("details")) {
    if (part.matches("details")) part.open = true;
  }
  return target;
}
function goTo() { unfold(location.hash)?.scrollIntoView(); }
addEventListener("hashchange", goTo);
if (location.hash) goTo();
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link) unfold(link.hash);
});

// All parts at once, and back to those that were open. The long lists of runs stay as they are.
const FOLDED = "main details:not(.long):not([open])";
function openAll() {
  const parts = [...document.querySelectorAll(FOLDED)];
  for (const part of parts) part.open = true;
  return () => { for (const part of parts) part.open = false; };
}
const unfoldButton = document.getElementById("unfold");
let foldAgain = null;
unfoldButton.hidden = false;
unfoldButton.addEventListener("click", () => {
  if (foldAgain) foldAgain();
  foldAgain = foldAgain ? null : openAll();
  unfoldButton.textContent = foldAgain ? "Fold again" : "Unfold all";
  mark();
});

// Tables: a click on a head sorts up, the next one down, the third restores. Rows of reference stay on
// top; cells without a number come last.
function valueOf(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  const text = cell.textContent.trim();
  return text === "" || text === "–" ? null : text;
}
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return sign * a.localeCompare(b, "en", { numeric: true });
}
function makeSortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
      const order = next === undefined ? "ascending" : next;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (order) head.setAttribute("aria-sort", order);
      const sign = order === "descending" ? -1 : 1;
      const rows = [...original];
      if (order) {
        rows.sort((a, b) =>
          b.classList.contains("reference") - a.classList.contains("reference") ||
          (a.classList.contains("reference")
            ? 0
            : compare(valueOf(a, column), valueOf(b, column), sign)));
      }
      body.append(...rows);
    });
  });
}
for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);

// A figure is shown large; the dialog itself closes by Esc, and gives the focus back to the link.
const enlarged = document.getElementById("enlarged");
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.zoom");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  enlarged.querySelector(".plate").replaceChildren(link.querySelector("img").cloneNode());
  enlarged.showModal();
});

// Print shows what is folded, but not the long lists.
let foldAfterPrint = () => {};
addEventListener("beforeprint", () => { foldAfterPrint = openAll(); });
addEventListener("afterprint", () => foldAfterPrint());
