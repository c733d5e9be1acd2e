// The authorization page works without this; it only finds people faster and names the button.
const form = document.querySelector("form");
const rows = [...form.querySelectorAll(".person")];
const main = form.querySelector("button.main");
const newName = form.elements.new_name;

form.querySelector(".search").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const row of rows) row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
});

form.addEventListener("change", () => {
  const chosen = rows.find((row) => row.querySelector("input").checked);
  const name = newName.value.trim() || chosen?.querySelector("b").textContent;
  main.textContent = name ? `以${name}的身份继续` : main.dataset.plain;
});

newName.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  if (newName.value.trim()) main.click();
});
