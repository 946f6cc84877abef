// What is behind a job's name and its dead letters. Whatever comes from the fleet is set as text only.

const TIMEOUT = 20000;

const COLUMNS = { id: "Id", died: "Died", table: "Table", type: "Type", sqlstate: "SQLSTATE", reason: "Reason" };

const byId = (id) => document.getElementById(id);

export class Panel {
  #asked = 0;

  constructor() {
    byId("panel-close").addEventListener("click", () => byId("panel").close());
  }

  // Show the last lines of a job's log.
  openLog(name, url) {
    this.#open(`${name}: the end of its log`, url, async (response) => {
      const text = await response.text();
      return [element("pre", text.trim() ? text : "It is empty.")];
    });
  }

  // Show a job's dead letters, and what can be done with them.
  openLetters(name, url) {
    this.#open(`${name}: dead letters`, url, async (response) => {
      const { letters, limit, commands } = await response.json();
      if (!letters.length) return [element("p", "There are none any more.")];
      const note = letters.length < limit ? [] : [element("p", `The first ${limit}:`)];
      return [...note, table(letters), element("pre", commands.join("\n"))];
    });
  }

  async #open(title, url, read) {
    const asked = ++this.#asked;
    byId("panel-title").textContent = title;
    const content = byId("panel-content");
    content.replaceChildren(element("p", "reading …"));
    byId("panel").showModal();
    const found = await this.#ask(url, read);
    // Somebody opened another one meanwhile.
    if (asked !== this.#asked) return;
    content.replaceChildren(...found);
    content.scrollTop = content.querySelector("table") ? 0 : content.scrollHeight;
  }

  async #ask(url, read) {
    try {
      const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
      return response.ok ? await read(response) : [element("p", (await response.text()).trim())];
    } catch (error) {
      return [element("p", `no answer: ${error.message}`)];
    }
  }
}

function table(letters) {
  const made = element("table");
  const head = made.createTHead().insertRow();
  for (const heading of Object.values(COLUMNS)) {
    const cell = element("th", heading);
    cell.scope = "col";
    head.append(cell);
  }
  const body = made.createTBody();
  for (const letter of letters) {
    const row = body.insertRow();
    for (const field of Object.keys(COLUMNS)) {
      const cell = row.insertCell();
      cell.textContent = letter[field];
      cell.className = field;
    }
  }
  return made;
}

function element(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
