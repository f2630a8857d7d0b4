# The web console: sources in console/ → one pack, which becomes part of the program. Built anew when a source changes.
# Without npm, or without the packages that ./dev setup installs, the program has a plain page instead.
option(STARLING_CONSOLE "build the web console into the program" ON)
find_program(STARLING_NODE node)
set(console_source "${PROJECT_SOURCE_DIR}/console")
set(STARLING_CONSOLE_PACK "")

if(STARLING_CONSOLE AND STARLING_NODE AND EXISTS "${console_source}/node_modules/vite")
  set(STARLING_CONSOLE_PACK "${PROJECT_BINARY_DIR}/generated/console.pack")
  file(GLOB_RECURSE console_files CONFIGURE_DEPENDS "${console_source}/src/*" "${console_source}/public/*")
  add_custom_command(
    OUTPUT "${STARLING_CONSOLE_PACK}"
    COMMAND "${STARLING_NODE}" node_modules/vite/bin/vite.js build --logLevel warn --emptyOutDir
            --outDir "${PROJECT_BINARY_DIR}/console"
    COMMAND "${STARLING_NODE}" pack.mjs "${PROJECT_BINARY_DIR}/console" "${STARLING_CONSOLE_PACK}"
    DEPENDS ${console_files} "${console_source}/index.html" "${console_source}/vite.config.ts" "${console_source}/pack.mjs"
            "${console_source}/package-lock.json" "${console_source}/tsconfig.json"
    WORKING_DIRECTORY "${console_source}"
    COMMENT "Building the web console"
    VERBATIM)
elseif(STARLING_CONSOLE)
  message(WARNING "the web console is left out: node or ${console_source}/node_modules is missing (./dev setup installs both)")
endif()
