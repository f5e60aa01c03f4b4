// Browser tests of the real one-file program. scripts/test-browser.sh says which program, in KEYSTEAD_PROGRAM.
// Every test has a deployment of its own (harness/deployment.ts); each worker has a local KMS (harness/local-kms.ts).
import { defineConfig, devices } from '@playwright/test';

const screenshots = process.env['KEYSTEAD_SCREENSHOTS'];

export default defineConfig({
  testDir: '.',
  outputDir: 'test-results',
  forbidOnly: true,
  fullyParallel: true,
  workers: 3,
  // Whatever else runs on the machine must not decide whether a change is taken. A test that needed its second try is listed as
  // flaky: it is mended, not lived with.
  retries: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    actionTimeout: 15_000,
    navigationTimeout: 30_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    },
  },
  projects: [
    { name: 'scripts', testMatch: 'specs/**/*.spec.ts', testIgnore: '**/*without-scripts.spec.ts' },
    {
      name: 'no-scripts',
      testMatch: ['specs/procedures.spec.ts', 'specs/**/*without-scripts.spec.ts'],
      use: { javaScriptEnabled: false },
    },
    ...(screenshots ? [{ name: 'screenshots', testMatch: 'screenshots.spec.ts' }] : []),
  ],
});
