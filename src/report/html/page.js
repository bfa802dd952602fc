(() => {
const id = name => document.getElementById(name);
const all = (what, within) => [...(within || document).querySelectorAll(what)];
const value = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent;
const order = (a, b) => a !== '' && b !== '' && isFinite(a) && isFinite(b) ? a - b : a.localeCompare(b, document.documentElement.lang);
for (const table of all('table.list')) all('thead th', table).forEach((head, column) => {
  if (!head.textContent) return;
  const button = document.createElement('span');
  button.role = 'button';
  button.tabIndex = 0;
  button.textContent = head.textContent;
  head.replaceChildren(button);
  head.setAttribute('aria-sort', 'none');
  button.onkeydown = key => (key.key === 'Enter' || key.key === ' ') && (key.preventDefault(), button.click());
  button.onclick = () => {
    const turn = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    all('th[aria-sort]', table).forEach(other => other.setAttribute('aria-sort', 'none'));
    head.setAttribute('aria-sort', turn > 0 ? 'ascending' : 'descending');
    const rows = [...table.tBodies[0].rows].map(row => [value(row, column), row]);
    rows.sort(([a], [b]) => a === '' || b === '' ? (a === '') - (b === '') : turn * order(a, b));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };
});
const find = () => {
  const text = id('text').value.trim().toLowerCase(), status = id('status').value;
  let shown = 0, count = 0;
  for (const row of all('table.list tbody tr')) {
    const state = row.dataset.s;
    row.hidden = !row.textContent.toLowerCase().includes(text) || !!(status && state && state !== status);
    if (!state) continue;
    count += 1;
    shown += !row.hidden;
    const card = id('c' + row.id.slice(1));
    if (card) card.hidden = row.hidden;
  }
  id('count').textContent = shown + ' / ' + count;
};
id('find').hidden = false;
id('text').oninput = id('status').onchange = find;
find();
})();
