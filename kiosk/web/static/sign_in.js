// Signing in: one press is one try.

document.querySelector(".sign-form")?.addEventListener("submit", (event) => {
  const button = event.target.querySelector('button[type="submit"]');
  setTimeout(() => (button.disabled = true));
});
