// Applies the chosen theme before the first paint. Without a choice the system decides, through the style sheet.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = `weir-${theme}`;
} catch {
  // Storage may be forbidden; the system theme is fine.
}
