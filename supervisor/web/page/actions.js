// What can be done about a job. The token is kept for this tab only and is sent only in a header.

const KEY = "tdsup-token";

const VERBS = {
  restart: "Let it finish its batch, then start a new process.",
  reload: "Read its file again, and restart it if the file is valid.",
  pause: "Let it finish its batch, then hold it until you resume it.",
  resume: "Let it run again after a pause.",
  stop: "Let it finish its batch, then stop it.",
  start: "Start it again.",
};

const byId = (id) => document.getElementById(id);

export class Actions {
  #token = sessionStorage.getItem(KEY);
  #offered = false;
  #changed;

  // Calls `changed` after each action.
  constructor(changed) {
    this.#changed = changed;
    byId("unlock").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#unlock(byId("token").value.trim());
    });
    byId("lock").addEventListener("click", () => this.#keep(null));
    byId("ask-no").addEventListener("click", () => byId("ask").close());
  }

  // Whether the fleet has a token.
  offer(offered) {
    this.#offered = offered;
    this.#show();
  }

  // Ask what to do about a job.
  open(name) {
    byId("ask-title").textContent = name;
    byId("ask-what").textContent = "";
    byId("ask-yes").hidden = true;
    const buttons = Object.entries(VERBS).map(([verb, what]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.verb = verb;
      const title = document.createElement("strong");
      title.textContent = verb;
      button.append(title, ` ${what}`);
      button.addEventListener("click", () => this.#confirm(name, verb));
      return button;
    });
    byId("ask-verbs").replaceChildren(...buttons);
    byId("ask-verbs").hidden = false;
    byId("ask").showModal();
  }

  #confirm(name, verb) {
    byId("ask-verbs").hidden = true;
    byId("ask-what").textContent = `Really ${verb} ${name}?`;
    const yes = byId("ask-yes");
    yes.hidden = false;
    yes.disabled = false;
    yes.textContent = verb;
    yes.onclick = async () => {
      yes.disabled = true;
      byId("ask-what").textContent = `${verb} ${name} …`;
      byId("ask-what").textContent = await this.#do(name, verb);
      yes.hidden = true;
      this.#changed();
    };
    yes.focus();
  }

  async #do(name, verb) {
    try {
      const path = `jobs/${encodeURIComponent(name)}/${verb}`;
      const response = await this.#post(path, this.#token);
      const answer = await response.json();
      if (response.status === 401) this.#keep(null);
      return answer.ok ? `${verb} ${name}: done` : answer.error.message;
    } catch (error) {
      return `no answer: ${error.message}`;
    }
  }

  async #unlock(token) {
    const refused = byId("refused");
    refused.textContent = "";
    try {
      // No such action: the answer is "not found" if the token is right.
      const response = await this.#post("jobs/", token);
      if (response.status === 404) this.#keep(token);
      else refused.textContent = (await response.json()).error.message;
    } catch (error) {
      refused.textContent = `no answer: ${error.message}`;
    }
  }

  #post(path, token) {
    return fetch(path, { method: "POST", headers: { Authorization: `Bearer ${token}` }, cache: "no-store" });
  }

  #keep(token) {
    this.#token = token;
    if (token === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
    byId("token").value = "";
    this.#show();
  }

  #show() {
    const unlocked = this.#offered && this.#token !== null;
    byId("unlock").hidden = !this.#offered || unlocked;
    byId("lock").hidden = !unlocked;
    document.body.classList.toggle("unlocked", unlocked);
  }
}
