import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** Imports go one way: shared (lib, i18n, components) -> features -> app. */
const forbid = (files, ...groups) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: groups.map(([group, message]) => ({ group, message })) }],
  },
});

const features = [
  'broadcast',
  'chat',
  'health',
  'invites',
  'moderation',
  'player',
  'relays',
  'rooms',
  'session',
  'sign-in',
];

export default tseslint.config(
  { ignores: ['dist'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}', 'vite.config.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  { files: ['src/**/*.{ts,tsx}'], ...reactHooks.configs.flat.recommended },
  forbid(
    ['src/{lib,i18n,components}/**'],
    [['@/features/*', '@/app/*'], 'Shared code knows neither features nor pages.'],
  ),
  ...features.map((name) =>
    forbid(
      [`src/features/${name}/**`],
      [['@/app/*'], 'Features do not know pages.'],
      [['@/features/*', `!@/features/${name}`], 'Features do not know one another; pages join them.'],
    ),
  ),
);
