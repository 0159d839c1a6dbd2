/* A page that was opened as a file may start no worker, and the search is one. It gets a frame of its own instead. */
if (location.protocol === "file:") {
  const QUERY = 2; // the theme's number of a search; those that are typed over are left out, for the page stands still while it searches
  const PAUSE = 200; // milliseconds
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.appendChild(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inside = new Promise((ready, failed) => {
        const script = inside.document.createElement("script");
        script.onload = () => ready(inside);
        script.onerror = failed;
        script.src = address;
        inside.document.documentElement.appendChild(script);
      });
      this.frame = frame;
    }
    postMessage(data) {
      const send = () => this.inside.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
      clearTimeout(this.waiting);
      if (data.type === QUERY) this.waiting = setTimeout(send, PAUSE);
      else send();
    }
    terminate() {
      this.frame.remove();
    }
  };
}
