// Starts the application, or says why it cannot.
import init from "/assets/weir.js";

const starting = document.getElementById("starting");

init({ module_or_path: "/assets/weir.wasm" }).then(
  () => starting.remove(),
  (error) => {
    console.error(error);
    starting.setAttribute("role", "alert");
    starting.textContent = "Weir could not start. Reload the page; if that does not help, update the browser.";
  },
);
