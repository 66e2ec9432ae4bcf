"""What a person sees: packs, the debugger, the inbox, and the small screens over them."""
