// Before the first paint, so that a chosen theme does not flash. src/ui/theme.ts writes what is read here.
(() => {
  try {
    const chosen = localStorage.getItem('starling.theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is closed to this page: the system's theme it is.
  }
})();
