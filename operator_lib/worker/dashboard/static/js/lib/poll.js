// Ask again and again, while somebody looks.

// Call `ask` now and every so many milliseconds until `signal`; `failed` gets what it raises.
export async function every(milliseconds, ask, signal, failed = () => {}) {
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        await ask();
      } catch (problem) {
        if (signal.aborted || problem.name === "AbortError") return;
        failed(problem);
      }
    }
    await new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        document.removeEventListener("visibilitychange", look);
        resolve();
      };
      const look = () => !document.hidden && done();
      const timer = setTimeout(done, milliseconds);
      document.addEventListener("visibilitychange", look);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
