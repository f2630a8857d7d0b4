// Before the first paint, so that nothing flashes: light or dark, as chosen or as the system has it. src/ui/theme.ts goes on
// from there, and writes what is read here.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('starling.theme');
  } catch {
    // Storage is closed to this page: the system's theme it is.
  }
  const dark = chosen === 'light' || chosen === 'dark' ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
