import { describe, expect, it } from 'vitest';
import { hotkeyOf, keysOf, type PressedKey, wordsOfKeys } from './key-map.ts';

const pressed = (key: string, more: Partial<PressedKey> = {}): PressedKey => ({
  key,
  shiftKey: false,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  isComposing: false,
  keyCode: 0,
  isAltGraph: false,
  ...more,
});
const keys = keysOf({});

describe('hotkeyOf()', () => {
  it('takes Mod as Control, on Apple as Command', () => {
    const control = pressed('O', { ctrlKey: true, shiftKey: true });
    const command = pressed('o', { metaKey: true, shiftKey: true });
    expect(hotkeyOf(control, keys, false, false)).toBe('newChat');
    expect(hotkeyOf(control, keys, false, true)).toBeNull();
    expect(hotkeyOf(command, keys, true, true)).toBe('newChat');
  });

  it('leaves letters and signs to whoever types', () => {
    expect(hotkeyOf(pressed('?', { shiftKey: true }), keys, false, false)).toBe('showKeys');
    expect(hotkeyOf(pressed('?'), keys, false, false)).toBe('showKeys');
    expect(hotkeyOf(pressed('?', { shiftKey: true }), keys, true, false)).toBeNull();
    expect(hotkeyOf(pressed('j'), keys, false, false)).toBe('nextMessage');
    expect(hotkeyOf(pressed('J', { shiftKey: true }), keys, false, false)).toBeNull();
    expect(hotkeyOf(pressed('j'), keys, true, false)).toBeNull();
    expect(hotkeyOf(pressed('Escape', { shiftKey: true }), keys, true, false)).toBe('focusComposer');
  });

  it('takes nothing of an input method or of the third level of a keyboard', () => {
    expect(hotkeyOf(pressed('k', { ctrlKey: true, isComposing: true }), keys, true, false)).toBeNull();
    expect(hotkeyOf(pressed('k', { ctrlKey: true, keyCode: 229 }), keys, true, false)).toBeNull();
    expect(hotkeyOf(pressed('k', { ctrlKey: true, isAltGraph: true }), keys, true, false)).toBeNull();
    expect(hotkeyOf(pressed('k', { ctrlKey: true, altKey: true }), keys, true, false)).toBeNull();
  });

  it('follows keys of the host app, and null takes one away', () => {
    const own = keysOf({ newChat: 'Mod+Shift+N', showKeys: null, copyAnswer: 'Mod++', pickModel: undefined });
    expect(hotkeyOf(pressed('n', { ctrlKey: true, shiftKey: true }), own, false, false)).toBe('newChat');
    expect(hotkeyOf(pressed('o', { ctrlKey: true, shiftKey: true }), own, false, false)).toBeNull();
    expect(hotkeyOf(pressed('?'), own, false, false)).toBeNull();
    expect(hotkeyOf(pressed('+', { ctrlKey: true, shiftKey: true }), own, true, false)).toBe('copyAnswer');
    expect(hotkeyOf(pressed('j', { ctrlKey: true }), own, true, false)).toBe('pickModel');
  });
});

it('wordsOfKeys() names keys as they stand on the keyboard', () => {
  expect(wordsOfKeys('Mod+Shift+O', false)).toEqual(['Ctrl', 'Shift', 'O']);
  expect(wordsOfKeys('Mod+Shift+o', true)).toEqual(['⌘', '⇧', 'O']);
  expect(wordsOfKeys('Shift+Escape', false)).toEqual(['Shift', 'Esc']);
});
