/* Files as they are, in read-only memory: pages that are never read are never loaded. */
#if defined(__APPLE__)
    .const_data
#define SYMBOL(name) _##name
#define HIDDEN(name) .private_extern _##name
#else
    .section .rodata
#define SYMBOL(name) name
#define HIDDEN(name) .hidden name
#endif

/* The built-in model. */
    .globl SYMBOL(starling_starter_begin)
    HIDDEN(starling_starter_begin)
    .globl SYMBOL(starling_starter_end)
    HIDDEN(starling_starter_end)
    .balign 4096
SYMBOL(starling_starter_begin):
#ifdef STARLING_STARTER
    .incbin STARLING_STARTER
#endif
SYMBOL(starling_starter_end):
    .byte 0

/* The web console. */
    .globl SYMBOL(starling_console_begin)
    HIDDEN(starling_console_begin)
    .globl SYMBOL(starling_console_end)
    HIDDEN(starling_console_end)
    .balign 64
SYMBOL(starling_console_begin):
#ifdef STARLING_CONSOLE_PACK
    .incbin STARLING_CONSOLE_PACK
#endif
SYMBOL(starling_console_end):
    .byte 0

#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits
#endif
