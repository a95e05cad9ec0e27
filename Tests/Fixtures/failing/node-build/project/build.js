function render(page) {
  return page.title.toUpperCase();
}

render({});
