// The charts' colours on a light and on a dark page; each keeps 3:1 at least from the page, text 4.5:1.
// Series differ by their symbols as well.
export const light = {
  page: "#ffffff", ink: "#1b1f24", muted: "#5a636e", rule: "#dfe3e8", axis: "#8a939e",
  series: ["#0a6a94", "#b0481a", "#6650a4", "#3f6b2a"],
};
export const dark = {
  page: "#14171b", ink: "#e8eaed", muted: "#a3acb7", rule: "#2d333b", axis: "#717b87",
  series: ["#62bfe6", "#f0995c", "#b8a5f2", "#97cc7d"],
};
export const symbols = ["circle", "diamond", "triangle", "rect"];
export const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
