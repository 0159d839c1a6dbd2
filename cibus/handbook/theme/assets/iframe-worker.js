/* A page that was opened as a file may start no worker, and the search is one. It gets a frame of its own instead. */
if (location.protocol === "file:") {
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
      this.inside.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
