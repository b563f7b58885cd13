import { useEffect, useState } from 'react';

interface Shown {
  conversationId: string;
  onConversationChange: (id: string) => void;
}

/** Keeps the shown conversation in the address, so that reload, back and a second tab find it. */
export function useAddress(): Shown {
  const [conversationId, setConversationId] = useState(read);
  useEffect(() => {
    const follow = () => setConversationId(read());
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return {
    conversationId,
    onConversationChange: (id) => {
      location.hash = encodeURIComponent(id);
    },
  };
}

function read(): string {
  try {
    return decodeURIComponent(location.hash.slice(1)) || 'default';
  } catch {
    return 'default';
  }
}
