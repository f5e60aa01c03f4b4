// Without scripts the formats of the key policy can be chosen and downloaded all the same.
import { expect, test } from '../harness/test';
import { choice, downloaded, formats, panel, shown } from '../harness/key-policy';
import { openDataEncryption, signIn } from '../harness/steps';

test('every format can be chosen, read and downloaded', async ({ page }) => {
  await signIn(page);
  await openDataEncryption(page);
  for (const format of formats) {
    await choice(page, format).check();
    expect(await downloaded(page, format)).toBe(await shown(page, format));
    await expect(panel(page, format).getByRole('button'), 'copying needs scripts, so it is not offered').toHaveCount(0);
  }
  await choice(page, formats[0]).focus();
  await page.keyboard.press('ArrowRight');
  await shown(page, formats[1]);
});
