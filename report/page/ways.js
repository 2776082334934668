
// A number opens the way back from it: formula, values over the seeds, forget images, files, commands, and what
// vouches for it. `ways` holds each text, file and step once; everything else counts its place there.
const ways = JSON.parse(document.getElementById("ways").textContent);
const wayDialog = document.getElementById("way");

// An element by its tag, its attributes and what is in it.
function make(tag, attributes = {}, ...inner) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inner.filter((part) => part !== ""));
  return element;
}

// A text with formulas: what stands behind "_" in braces is set lower.
function paragraph(text, attributes = {}) {
  const parts = text.split(/_\{([^}]*)\}/);
  return make("p", attributes, ...parts.map((part, i) => (i % 2 ? make("sub", {}, part) : part)));
}

function fileLine(place) {
  const [path, digest] = ways.files[place];
  const other = ways.vouched.other.includes(path)
    ? make("strong", { class: "verdict worse" }, "its bytes were others than its record states")
    : "";
  return make("li", {}, make("a", { href: `../../${encodeURI(path)}` }, path), " ",
    make("code", { class: "digest", title: `sha256 ${digest}` }, digest), " ", other);
}

// One kind of step, folded: of each step its subject, its files with their digests, its command.
function stepsOf(kind, steps) {
  const named = steps.length === 1 ? kind : `${kind} (${steps.length})`;
  return make("details", {}, make("summary", {}, named), ...steps.map(([, subject, files, command, code]) =>
    make("div", { class: "step" },
      make("h4", {}, ways.texts[subject]),
      make("ul", { class: "files" }, ...files.map(fileLine)),
      make("p", {}, `Made by code ${ways.texts[code]}, with the command`),
      make("pre", { tabindex: "0" }, make("code", {}, ways.texts[command])))));
}

function filesAndCommands([steps, files]) {
  const kinds = new Map();
  for (const step of steps.map((place) => ways.steps[place])) {
    const kind = ways.texts[step[0]];
    kinds.set(kind, [...(kinds.get(kind) ?? []), step]);
  }
  const parts = [...kinds].map(([kind, of]) => stepsOf(kind, of));
  if (files.length) {
    parts.push(make("details", {}, make("summary", {}, "Files that no step wrote"),
      make("ul", { class: "files" }, ...files.map(fileLine))));
  }
  return [make("h3", {}, "Files and commands"), ...parts];
}

// The pictures of a forget set are cut out of its sheet.
function pictures(set) {
  const scale = Math.max(1, Math.round(48 / Math.max(set.height, set.width)));
  const [height, width] = [scale * set.height, scale * set.width];
  const tiles = set.shown.map(([at, name], i) => {
    const [line, column] = [Math.floor(i / set.columns), i % set.columns];
    const said = `no. ${at}, ${set.classes[name]}`;
    const tile = make("span", { class: "tile", role: "img", "aria-label": said, title: said });
    tile.style.backgroundPosition = `-${column * width}px -${line * height}px`;
    return tile;
  });
  const box = make("div", { class: "tiles" }, ...tiles);
  box.style.setProperty("--sheet", `url("${set.address}")`);
  box.style.setProperty("--width", `${width}px`);
  box.style.setProperty("--height", `${height}px`);
  box.style.setProperty("--all", `${set.columns * width}px auto`);
  return box;
}

// Of several sets the first one is open.
function forgetImages([, , forgotten]) {
  if (!forgotten.length) return [make("p", {}, "No forget set is behind this number.")];
  return forgotten.map((place, i) => {
    const set = ways.forgotten[place];
    const all = set.shown.length === set.images;
    const which = all ? `All ${set.images} images` : `${set.shown.length} of ${set.images} images, evenly spread over the set`;
    const seeds = `${set.seeds.length === 1 ? "seed" : "seeds"} ${set.seeds.join(", ")}`;
    return make("details", i ? {} : { open: "" },
      make("summary", {}, `${set.where} · ${seeds}`),
      make("p", {}, `Forgotten: ${set.rule}. ${which}; point at one for its place in the store and its class.`),
      pictures(set),
      make("details", {},
        make("summary", {}, `Places of ${set.is_whole ? "all" : "the first"} forget images in the store`),
        make("p", { class: "places" }, set.is_whole ? set.positions : `${set.positions} …`),
        make("p", {}, "Stated in ", make("a", { href: `../../${encodeURI(set.file)}` }, set.file), ".")));
  });
}

function overSeeds(stated, seeds) {
  if (!seeds.length) return stated ? [make("h3", {}, "Over the seeds"), make("p", {}, stated)] : [];
  const left = seeds.filter(([, , why]) => ways.texts[why]);
  const lines = seeds.map(([seed, text, why]) => make("tr", {}, make("th", { scope: "row" }, `seed ${seed}`),
    make("td", {}, text), make("td", { class: "name" }, ways.texts[why] || "counts")));
  const out = left.length === 0
    ? "No run is left out."
    : `Left out: ${left.map(([seed, , why]) => `seed ${seed} (${ways.texts[why]})`).join("; ")}.`;
  return [
    make("h3", {}, "Over the seeds"),
    make("table", {}, make("tbody", {}, ...lines)),
    make("p", {}, [stated, out].filter(Boolean).join(" ")),
  ];
}

// The runs behind a number that somebody made again, and what came out.
function madeAgain({ said, findings }, [steps]) {
  const runs = steps.map((place) => ways.files[ways.steps[place][2].at(-1)][0])
    .filter((path) => path.endsWith("/run.json")).map((path) => path.slice(0, -"/run.json".length));
  const found = runs.filter((folder) => folder in findings)
    .map((folder) => `${folder.split("/").slice(1).join("/")}: ${findings[folder]}`);
  const here = found.length
    ? `Of the ${runs.length} runs behind this number it has ${found.length}: ${found.join("; ")}.`
    : `It has none of the runs behind this number (${runs.length}).`;
  return make("p", {}, `${said} ${here}`);
}

function vouchedFor(asked, basis) {
  const { verified, attested, unattested, command } = ways.vouched;
  const [path, row, column, where] = asked.map((place) => ways.texts[place]);
  const cell = [path, row, column, where].filter(Boolean).join(":");
  const check = path ? [make("pre", { tabindex: "0" }, make("code", {}, `lotus lineage '${cell}' --brief`))] : [];
  return [
    make("h3", {}, "What vouches for it"),
    make("p", {}, verified),
    ...(attested.length ? attested.map((each) => madeAgain(each, basis)) : [make("p", {}, unattested)]),
    make("p", {}, path ? "To follow it to its source files now, each of them hashed:" : ""),
    ...check,
    make("p", {}, "To check every file, the code and the configuration now:"),
    make("pre", { tabindex: "0" }, make("code", {}, command)),
  ];
}

function openWay(cell) {
  const [formula, row, where, stated, seeds, basis, asked] = ways.ways[cell.dataset.way];
  const { title, words, symbols, notes } = ways.formulas[formula];
  const about = [ways.texts[row], ways.texts[where]].filter(Boolean).join(" · ");
  wayDialog.querySelector(".told").replaceChildren(
    make("h2", { id: "way-title" }, title, ": ", make("span", { class: "value" }, cell.dataset.said)),
    make("p", { class: "lead" }, about),
    make("h3", {}, "Formula"),
    paragraph(words),
    ...(symbols ? [paragraph(symbols, { class: "symbols" })] : []),
    ...notes.map((note) => paragraph(note)),
    ...overSeeds(ways.texts[stated], seeds),
    make("h3", {}, "Forget images"),
    ...forgetImages(ways.bases[basis]),
    ...vouchedFor(asked, ways.bases[basis]),
    ...filesAndCommands(ways.bases[basis]),
  );
  wayDialog.showModal();
  wayDialog.scrollTop = 0;
}

// The text of a number without the remark below it.
function saidBy(cell) {
  const copy = cell.cloneNode(true);
  copy.querySelectorAll(".remark").forEach((part) => part.remove());
  return copy.textContent.trim();
}

for (const cell of document.querySelectorAll("td[data-way]")) {
  cell.dataset.said = saidBy(cell);
  const button = make("button", { type: "button", class: "number", "aria-haspopup": "dialog" });
  button.append(...cell.childNodes);
  cell.append(button);
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.number");
  if (button) openWay(button.parentElement);
});
// A click beside the dialog closes it; Esc does so by itself, and gives the focus back to the number.
wayDialog.addEventListener("click", (event) => { if (event.target === wayDialog) wayDialog.close(); });

// From number to number by the arrows.
const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
document.addEventListener("keydown", (event) => {
  const button = event.target.closest?.("button.number");
  const step = steps[event.key];
  if (!button || !step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const cell = button.parentElement;
  const rows = [...cell.closest("table").rows];
  let [line, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
  do {
    line += step[0];
    column += step[1];
  } while (rows[line]?.cells[column] && !rows[line].cells[column].querySelector("button.number"));
  const next = rows[line]?.cells[column]?.querySelector("button.number");
  if (next) { event.preventDefault(); next.focus(); }
});
