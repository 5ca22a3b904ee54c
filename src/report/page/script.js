"use strict";
// Sorts a table by a click on the head of a column: numbers as numbers, empty cells last, a second click the other way.
(() => {
  const WORDS = new Map([["inf", Infinity], ["-inf", -Infinity], ["NaN", NaN]]);
  const number = (text) => (WORDS.has(text) ? WORDS.get(text) : Number(text));
  // Below 0 where a comes first; what has no place in an order, empty or no number, is last either way.
  const compare = (a, b, isNumeric, direction) => {
    const has = (key) => (isNumeric ? !Number.isNaN(key) : key !== "");
    if (!has(a) || !has(b)) return has(b) - has(a);
    if (isNumeric) return direction * (a < b ? -1 : a > b ? 1 : 0);
    return direction * a.localeCompare(b, "en", { numeric: true });
  };
  const sort = (table, heads, column) => {
    const head = heads[column];
    const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const isNumeric = head.classList.contains("n");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => {
      const text = row.cells[column] ? row.cells[column].textContent : "";
      return { row, key: !isNumeric ? text : text === "" ? NaN : number(text) };
    });
    rows.sort((a, b) => compare(a.key, b.key, isNumeric, direction));
    body.append(...rows.map(({ row }) => row));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, heads, column));
      head.append(button);
    });
  }
  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    for (const details of folded) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of folded) details.open = false;
    folded = [];
  });
})();
